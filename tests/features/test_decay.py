import math
from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decay import NONE_YET, Decayed, add, value_at
from tests.features.strategies import DAY, HOUR, START, times

HALF_LIVES = (HOUR, 7 * DAY)
weights = st.floats(0, 1e6)


def closed_form(arrivals: list[tuple[float, int]], now: int, half_life_ms: int) -> float:
    return sum(weight * math.exp2((ts - now) / half_life_ms) for weight, ts in arrivals)


def folded(arrivals: list[tuple[float, int]]) -> Decayed:
    return reduce(lambda count, a: add(count, a[0], a[1], HALF_LIVES), arrivals, NONE_YET)


@given(st.lists(st.tuples(weights, times), min_size=1, max_size=40), st.randoms())
def test_any_arrival_order_gives_the_closed_form_sum(
    arrivals: list[tuple[float, int]], rng: Random
) -> None:
    newest = max(ts for _, ts in arrivals)
    rng.shuffle(arrivals)
    count = folded(arrivals)
    assert count.ts == newest
    for value, half_life_ms in zip(count.values, HALF_LIVES, strict=True):
        assert value == pytest.approx(closed_form(arrivals, newest, half_life_ms), rel=1e-9)


@given(st.lists(st.tuples(weights, times), min_size=1, max_size=10), st.integers(0, 40 * DAY))
def test_a_value_later_on_is_the_closed_form_sum_as_of_then(
    arrivals: list[tuple[float, int]], pause: int
) -> None:
    count = folded(arrivals)
    now = count.ts + pause
    for value, half_life_ms in zip(value_at(count, now, HALF_LIVES), HALF_LIVES, strict=True):
        assert value == pytest.approx(closed_form(arrivals, now, half_life_ms), rel=1e-9)


def test_a_value_never_runs_ahead_of_its_newest_event() -> None:
    count = add(NONE_YET, 3.0, START, HALF_LIVES)
    assert value_at(count, START - DAY, HALF_LIVES) == (3.0, 3.0)
    assert value_at(NONE_YET, START, HALF_LIVES) == (0.0, 0.0)


def test_times_at_either_end_of_the_calendar_neither_overflow_nor_lose_the_newest() -> None:
    ancient_then_far = add(add(NONE_YET, 1.0, 0, HALF_LIVES), 1.0, 253_402_300_799_999, HALF_LIVES)
    assert ancient_then_far.values == (1.0, 1.0)
