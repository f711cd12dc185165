"""Rows in cells: what brute force finds, and never what a list may not show."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.cells import build, put
from ranker.probing import PROBES, nearest_in_cells
from ranker.selection import Space
from tests.ranker.shops import seldom
from tests.ranker.spaces import (
    DIMS,
    SEEDS,
    TOP,
    asked,
    consistent,
    exactly,
    may_show,
    random_filters,
    rows_around,
    showing,
)


@seldom
@given(seed=SEEDS, items=st.integers(1, 64))
def test_a_few_cells_are_all_looked_into_which_is_exact(seed: int, items: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(items, rng), random_filters(items, 5, rng)
    queries = asked(space, 5, rng)
    cells = build(space)
    assert len(cells.centres) <= PROBES
    found = nearest_in_cells(filters, queries, space, cells, TOP)
    right = exactly(filters, queries, space, TOP)
    for b in range(5):
        best = (space.vectors @ queries[b])[found[b][found[b] >= 0]]
        np.testing.assert_allclose(best, (space.vectors @ queries[b])[right[b][right[b] >= 0]])


@settings(seldom, max_examples=10)
@given(seed=SEEDS)
def test_most_of_the_nearest_are_found_among_many(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, queries = (found := rows_around(4000, rng)), asked(found, 32, rng)
    filters = showing(4000, 32)
    exact = exactly(filters, queries, space, TOP)
    found_too = nearest_in_cells(filters, queries, space, build(space), TOP)
    shared = [np.isin(*pair).mean() for pair in zip(exact, found_too, strict=True)]
    assert np.mean(shared) > 0.9


@seldom
@given(seed=SEEDS)
def test_cells_never_find_what_a_list_may_not_show_and_all_of_the_few_it_may(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(3000, rng), random_filters(3000, 8, rng)
    cells, queries = build(space), asked(space, 8, rng)
    enough = PROBES * int(cells.size.sum()) // len(cells.centres)
    found = nearest_in_cells(filters, queries, space, cells, TOP)
    for b, slots in enumerate(found):
        shown, passing = slots[slots >= 0], may_show(filters, b, space)
        assert len(set(shown.tolist())) == len(shown)
        assert passing[shown].all()
        if passing.sum() < enough // 2:  # what is excluded by name is seen, too
            scores = np.where(passing, space.vectors @ queries[b], -np.inf)
            best = np.sort(scores)[::-1][: min(TOP, int(passing.sum()))]
            np.testing.assert_allclose(scores[shown], best, rtol=1e-5, atol=1e-5)


@seldom
@given(seed=SEEDS)
def test_by_cells_a_list_is_the_same_alone_and_in_a_batch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(2000, rng), random_filters(2000, 4, rng)
    cells, queries = build(space), asked(space, 4, rng)
    together = nearest_in_cells(filters, queries, space, cells, TOP)
    for b in range(4):
        alone = filters.of(np.array([b]))
        assert (
            nearest_in_cells(alone, queries[b : b + 1], space, cells, TOP)[0] == together[b]
        ).all()


@seldom
@given(seed=SEEDS, items=st.integers(1, 300))
def test_equal_rows_lie_in_equal_cells(seed: int, items: int) -> None:
    space = rows_around(items, np.random.default_rng(seed))
    for one, other in zip(build(space), build(space), strict=True):
        np.testing.assert_array_equal(one, other)


@seldom
@given(seed=SEEDS, items=st.integers(1, 200), more=st.integers(0, 400))
def test_cells_follow_rows_that_come_change_and_go(seed: int, items: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    everything = rows_around(items + more, rng)
    space = Space(everything.vectors, everything.known.copy())
    space.known[items:] = False
    cells = build(Space(space.vectors[:items], space.known[:items]))
    consistent(cells, Space(space.vectors[:items], space.known[:items]))
    crowded = everything.vectors[0].copy()
    for slot in rng.permutation(np.repeat(np.arange(items + more), 2)):
        space.known[slot] = rng.random() < 0.7
        space.vectors[slot] = crowded if rng.random() < 0.5 else rng.standard_normal(DIMS)
        cells = put(cells, space, int(slot))
    consistent(cells, space)
