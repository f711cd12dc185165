"""Statistics of categories: changes in any order give what is counted anew, within known errors."""

import math
import random
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.category import (
    BIN,
    MAX_LEVEL,
    MIN_PRICES,
    MIN_SCALE,
    PRIOR_CLICKS,
    Level,
    Spread,
    bin_of,
    smoothed,
    z_score,
)
from features.levels import CategoryLevels, Figures
from tests.features.strategies import short_or_long

PATHS: list[tuple[str, ...]] = [(), ("a",), ("A", "b"), ("a", "b"), ("a", "c"), ("d", "b", "e")]
CATEGORIES = {(), ("a",), ("a", "b"), ("a", "c"), ("d",), ("d", "b"), ("d", "b", "e")}
real_prices = st.floats(0.001, 1e12)
figures = st.builds(
    Figures,
    path=st.sampled_from(PATHS),
    price=st.none() | st.just(0.0) | st.sampled_from([1.0, 5.0, 5.2, 900.0]) | real_prices,
    clicks=st.integers(0, 40),
    purchases=st.integers(0, 40),
    domain=st.just(""),
)
names = st.sampled_from(["", "shop", "content", "social"])
changes = short_or_long(st.tuples(st.integers(0, 11), st.none() | figures), 40)


def sums(levels: CategoryLevels) -> dict[tuple[str, ...], tuple[object, ...]]:
    """Everything that the statistics hold."""
    return {path: of(level) for path in CATEGORIES if (level := levels.at(path)).path == path}


def of(level: Level) -> tuple[object, ...]:
    counts = level.items, level.prices, level.clicks, level.purchases, level.trials
    return (*counts, level.spread())


def anew(items: dict[int, Figures], order: random.Random | None = None) -> CategoryLevels:
    levels, told = CategoryLevels(), list(items.items())
    if order is not None:
        order.shuffle(told)
    for slot, one in told:
        levels.put(slot, one)
    return levels


@given(changes=changes, order=st.randoms(use_true_random=False))
def test_every_change_leaves_what_counting_anew_gives(
    changes: list[tuple[int, Figures | None]], order: random.Random
) -> None:
    levels, items = CategoryLevels(), dict[int, Figures]()
    for slot, one in changes:
        if one is None:
            levels.drop(slot)
            items.pop(slot, None)
        else:
            levels.put(slot, one)
            items[slot] = one
        fresh = anew(items, order)
        assert sums(levels) == sums(fresh)
        assert len(levels) == len(fresh)


@given(items=st.dictionaries(st.integers(0, 40), figures, max_size=40))
def test_sums_and_spreads_are_those_of_the_items_themselves(items: dict[int, Figures]) -> None:
    levels = anew(items)
    inside = defaultdict[tuple[str, ...], list[Figures]](list)
    for one in items.values():
        path = tuple(name.lower() for name in one.path)
        for depth in range(len(path) + 1):
            inside[path[:depth]].append(one)
    assert len(levels) == len({*inside, ()})
    for path, members in inside.items():
        level = levels.at(path)
        assert level.path == path
        assert level.items == len(members)
        assert level.clicks == sum(one.clicks for one in members)
        assert level.purchases == sum(one.purchases for one in members)
        assert level.trials == sum(max(one.clicks, one.purchases) for one in members)
        logs = np.log([one.price for one in members if one.price])
        assert level.prices == len(logs)
        spread = level.spread()
        if len(logs) < MIN_PRICES:
            assert spread is None
            continue
        assert spread is not None
        median = float(np.median(logs))
        assert abs(spread.median - median) <= BIN / 2 + 1e-9
        scale = 1.4826 * float(np.median(np.abs(logs - median)))
        assert abs(spread.scale - max(scale, MIN_SCALE)) <= 1.4826 * BIN + 1e-9


@given(price=real_prices)
def test_a_bin_is_half_a_width_off_at_most(price: float) -> None:
    assert abs(bin_of(price) * BIN - math.log(price)) <= BIN / 2 + 1e-9


@given(price=st.floats(0, 0.001, exclude_max=True) | st.none())
def test_a_price_of_nothing_is_none_and_tiny_ones_share_a_bin(price: float | None) -> None:
    assert (bin_of(price) == bin_of(0.001)) == bool(price)


@given(
    price=st.floats(0, 1e12, exclude_min=True),
    median=st.floats(-7, 28),
    scale=st.floats(MIN_SCALE, 52),
)
def test_a_z_score_is_bounded_and_undone_by_its_meaning(
    price: float, median: float, scale: float
) -> None:
    z = z_score(price, Spread(median, scale))
    assert -MAX_LEVEL <= z <= MAX_LEVEL
    if abs(z) < MAX_LEVEL:
        assert math.log(price) == pytest.approx(median + z * scale, abs=1e-9)


def test_where_a_price_is_usual_the_narrowest_category_with_enough_says() -> None:
    few = {n: Figures(("a", "b"), 10.0 + n) for n in range(MIN_PRICES - 1)}
    levels = anew(few)
    assert levels.priced(("a", "b")) is None
    levels.put(9, Figures(("a", "c"), 10.0))
    found = levels.priced(("a", "b"))
    assert found is not None
    assert found[0].path == ("a",)
    levels.put(10, Figures(("a", "b"), 10.0))
    found = levels.priced(("A", "B", "never seen"))
    assert found is not None
    assert found[0].path == ("a", "b")
    for path in ((), ("never seen",)):
        found = levels.priced(path)
        assert found is not None
        assert found[0] is levels.root


def test_one_absurd_price_moves_nothing() -> None:
    """The reason for medians: a mean and its deviation would follow the outlier."""
    levels = anew({n: Figures(("a",), 10.0 * 1.05**n) for n in range(20)})
    before = levels.at(("a",)).spread()
    levels.put(20, Figures(("a",), 1e12))
    after = levels.at(("a",)).spread()
    assert before is not None
    assert after is not None
    assert after.median == pytest.approx(before.median, abs=0.05)
    assert after.scale == pytest.approx(before.scale, rel=0.2)
    assert z_score(1e12, after) == MAX_LEVEL


@given(items=st.dictionaries(st.integers(0, 20), figures, max_size=20), path=st.sampled_from(PATHS))
def test_conversions_are_rates_between_the_wider_ones_and_the_own(
    items: dict[int, Figures], path: tuple[str, ...]
) -> None:
    levels = anew(items)
    rate = levels.conversion(path)
    if not levels.root.clicks or not levels.root.purchases:
        assert rate is None
        return
    assert rate is not None
    assert 0 <= rate <= 1
    level = levels.at(path)
    if level.parent is not None:
        wider = levels.conversion(level.parent.path)
        assert wider is not None
        own = level.purchases / level.trials if level.trials else wider
        assert min(wider, own) - 1e-9 <= rate <= max(wider, own) + 1e-9


@given(changes=short_or_long(st.tuples(st.integers(0, 11), st.none() | figures, names), 40))
def test_each_domain_has_the_statistics_of_its_own_items(
    changes: list[tuple[int, Figures | None, str]],
) -> None:
    levels, items = CategoryLevels(default="shop"), dict[int, Figures]()
    for slot, one, domain in changes:
        if one is None:
            levels.drop(slot)
            items.pop(slot, None)
        else:
            items[slot] = one._replace(domain=domain)
            levels.put(slot, items[slot])
    opened = {
        (one.domain.removeprefix("shop"), *map(str.lower, one.path[:depth]))
        for one in items.values()
        for depth in range(len(one.path) + 1)
    }
    assert len(levels) == len(opened | {("",)})
    for domain in ("shop", "content", "social"):
        named = {"", "shop"} if domain == "shop" else {domain}
        own = anew({n: one._replace(domain="") for n, one in items.items() if one.domain in named})
        for name in named:
            for path in CATEGORIES:
                assert of(levels.at(path, name)) == of(own.at(path))
                assert levels.conversion(path, name) == own.conversion(path)
                assert levels.touches(path, name) == own.touches(path)


@given(prior=st.floats(0, 1), trials=st.integers(0, 10**6), share=st.floats(0, 1))
def test_smoothing_weighs_the_prior_as_so_many_clicks(
    prior: float, trials: int, share: float
) -> None:
    purchases = int(share * trials)
    rate = smoothed(purchases, trials, prior)
    assert 0 <= rate <= 1
    if not trials:
        assert rate == pytest.approx(prior)
    assert smoothed(PRIOR_CLICKS, PRIOR_CLICKS, 0.0) == 0.5


@given(changes=changes, most=st.integers(1, 4))
def test_categories_are_bounded_and_nothing_gets_lost(
    changes: list[tuple[int, Figures | None]], most: int
) -> None:
    """Beyond the bound items count in the wider categories; who leaves makes room."""
    levels, items = CategoryLevels(most), dict[int, Figures]()
    for slot, one in changes:
        if one is None:
            levels.drop(slot)
            items.pop(slot, None)
        else:
            levels.put(slot, one)
            items[slot] = one
        assert len(levels) <= most
        assert of(levels.root) == of(anew(items).root)
    for slot in items:
        levels.drop(slot)
    assert len(levels) == 1
    assert of(levels.root) == of(Level())
    levels.put(0, Figures(("new",)))
    assert levels.at(("new",)).items == 1
    assert len(levels) == min(most, 2)
