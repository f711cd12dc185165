"""Weights of names are decayed sums, whatever the order, and only the heaviest stay."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import log2
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.affinity import (
    HALF_LIFE_MS,
    MAX_NAMES,
    WEIGHTS,
    Name,
    band_start,
    lean,
    price_band,
    shares,
)
from features.events import Kind
from tests.features.strategies import DAY, START, times

kinds = st.sampled_from([Kind.CLICK, Kind.PURCHASE])
touches = st.lists(st.tuples(st.sampled_from("abcd"), kinds, times), max_size=30)
many = st.lists(st.tuples(st.integers(0, 20), kinds, times), max_size=60)


def check_leaning(weights: Mapping[Name, float], seen: Sequence[tuple[Name, Kind, int]]) -> None:
    """Compare with the decayed sums over all touches, where no name had to go."""
    assert len(weights) <= MAX_NAMES
    names = {name for name, _, _ in seen}
    assert weights.keys() <= names
    if len(names) > MAX_NAMES:
        return
    newest = max((ts for _, _, ts in seen), default=0)
    sums: defaultdict[Name, float] = defaultdict(float)
    for name, kind, ts in seen:
        sums[name] += WEIGHTS[kind] * 2.0 ** ((ts - newest) / HALF_LIFE_MS)
    expected = {name: log2(weight) + newest / HALF_LIFE_MS for name, weight in sums.items()}
    assert weights == pytest.approx(expected, rel=1e-12)


def fold(seen: Sequence[tuple[Name, Kind, int]]) -> dict[Name, float]:
    weights: dict[Name, float] = {}
    for name, kind, ts in seen:
        weights = lean(weights, name, WEIGHTS[kind], ts)
    return weights


@given(touches, st.randoms())
def test_every_prefix_is_the_decayed_sum_and_so_is_any_order(
    seen: list[tuple[str, Kind, int]], rng: Random
) -> None:
    weights: dict[str, float] = {}
    for length, (name, kind, ts) in enumerate(seen, start=1):
        weights = lean(weights, name, WEIGHTS[kind], ts)
        check_leaning(weights, seen[:length])
    shuffled = seen.copy()
    rng.shuffle(shuffled)
    assert fold(shuffled) == pytest.approx(weights, rel=1e-12)


@given(many)
def test_only_the_lightest_goes(seen: list[tuple[int, Kind, int]]) -> None:
    weights: dict[int, float] = {}
    for name, kind, ts in seen:
        before, alone = weights, log2(WEIGHTS[kind]) + ts / HALF_LIFE_MS
        weights = lean(before, name, WEIGHTS[kind], ts)
        gone = (before.keys() | {name}) - weights.keys()
        assert len(gone) <= 1
        for lost in gone:
            assert len(weights) == MAX_NAMES
            assert before.get(lost, alone) <= min(weights.values())


@given(many)
def test_shares_add_up_and_come_in_order(seen: list[tuple[int, Kind, int]]) -> None:
    found = shares(fold(seen))
    assert sum(found.values()) == pytest.approx(1 if seen else 0)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_purchase_weighs_as_clicks_do_and_a_month_halves() -> None:
    clicks = [("seen", Kind.CLICK, START)] * 4
    bought = [("bought", Kind.PURCHASE, START), ("late", Kind.PURCHASE, START - 30 * DAY)]
    weights = fold([*clicks, *bought])
    assert shares(weights) == pytest.approx({"bought": 0.4, "seen": 0.4, "late": 0.2})


@given(st.floats(0.001, 1e12))
def test_a_price_lies_in_its_band(price: float) -> None:
    band = price_band(price)
    assert band_start(band) <= price * (1 + 1e-12)
    assert price <= band_start(band + 1) * (1 + 1e-12)


@given(st.floats(min_value=5e-324, max_value=1e12), st.floats(min_value=5e-324, max_value=1e12))
def test_bands_rise_with_prices(one: float, other: float) -> None:
    assert (price_band(one) <= price_band(other)) or one > other
