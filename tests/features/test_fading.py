"""Weights halve every half-life, in turns that are the same for all, and end as 0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.fading import TURNS, all_faded, faded, turn_start, turns_between

weights = st.integers(0, 2**50)
times = st.integers(0, 2**41)
half_lives = st.integers(TURNS, 10**11)


@given(weights, st.integers(0, 400))
def test_a_weight_halves_every_half_life_and_is_rounded_down(weight: int, turns: int) -> None:
    exact = weight * 2 ** (-turns / TURNS)
    assert faded(weight, turns) == pytest.approx(exact, rel=1e-4, abs=1)
    assert faded(weight, 0) == weight
    assert faded(weight, turns + 1) <= faded(weight, turns)
    assert faded(weight, TURNS * 51) == 0


@given(weights, st.integers(0, 40), st.integers(0, 40))
def test_turns_one_after_another_differ_from_all_at_once_by_rounding(
    weight: int, first: int, second: int
) -> None:
    assert faded(faded(weight, first), second) == pytest.approx(
        faded(weight, first + second), rel=1e-4, abs=2
    )


@given(weights, weights, st.integers(0, 40))
def test_what_is_heavier_stays_heavier(one: int, other: int, turns: int) -> None:
    light, heavy = sorted([one, other])
    assert faded(light, turns) <= faded(heavy, turns)


@given(times, times, half_lives)
def test_turns_are_counted_between_their_starts(one: int, other: int, half_life_ms: int) -> None:
    early, late = sorted([one, other])
    start, end = turn_start(early, half_life_ms), turn_start(late, half_life_ms)
    assert start <= early < start + half_life_ms // TURNS
    assert turns_between(start, end, half_life_ms) == (end - start) // (half_life_ms // TURNS)
    assert turns_between(end, start, half_life_ms) == 0


@given(times, times)
def test_without_a_half_life_there_are_no_turns(one: int, other: int) -> None:
    assert turn_start(one, 0) == 0
    assert turns_between(one, other, 0) == 0


def test_of_what_is_gone_not_even_the_name_is_left() -> None:
    assert all_faded({"heavy": 64, "light": 1}, 2) == {"heavy": 45}
