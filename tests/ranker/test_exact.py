"""The nearest of all rows: what comparing each of them finds, whatever sketches say at first."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker import exact as module
from ranker.exact import nearest
from ranker.nearest import Nearest
from ranker.selection import Best, Filters, Space
from ranker.sketch import ERROR, LENGTH, STEP, fastest, multiply, sketch_of
from tests.ranker.shops import seldom
from tests.ranker.spaces import SEEDS, TOP, asked, may_show, random_filters, rows_around, showing

CODES = st.sampled_from([np.int8, np.float32])
LISTS = 5


def one_by_one(
    filters: Filters, queries: NDArray[np.float32], space: Space, top: int
) -> NDArray[np.int32]:
    found = np.full((len(queries), top), -1, np.int32)
    for b, query in enumerate(queries):
        may = np.flatnonzero(may_show(filters, b, space))
        best = may[np.argsort(-(space.vectors[may] @ query), kind="stable")][:top]
        found[b, : len(best)] = best
    return found


def whole(space: Space, rng: np.random.Generator, largest: int) -> Space:
    """Return rows of small whole numbers, whose sums are exact; many are equal."""
    rows = rng.integers(-largest, largest + 1, space.vectors.shape)
    return Space(rows.astype(np.float32), space.known)


@settings(deadline=None)
@given(
    seed=SEEDS, items=st.integers(1, 3_000), codes=CODES, largest=st.sampled_from([0, 1, 9, 1_000])
)
def test_it_finds_what_comparing_each_row_finds(
    seed: int, items: int, codes: type[np.int8] | type[np.float32], largest: int
) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(items, rng), random_filters(items, LISTS, rng)
    space = whole(space, rng, largest)
    queries = rng.integers(-9, 10, (LISTS, space.vectors.shape[1])).astype(np.float32)
    found = nearest(filters, queries, space, sketch_of(space.vectors, codes), TOP)
    np.testing.assert_array_equal(found, one_by_one(filters, queries, space, TOP))


@seldom
@given(seed=SEEDS, codes=CODES, every=st.integers(2, 40))
def test_a_guess_that_was_too_high_costs_time_but_no_row(
    seed: int, codes: type[np.int8] | type[np.float32], every: int
) -> None:
    rng = np.random.default_rng(seed)
    space = whole(rows_around(2_000, rng), rng, 9)
    space.known[:] = True
    space.vectors[:: module.SPREAD * every] *= 100
    queries = asked(space, 3, rng).round()
    filters = showing(2_000, 3)
    found = nearest(filters, queries, space, sketch_of(space.vectors, codes), 2 * TOP)
    np.testing.assert_array_equal(found, one_by_one(filters, queries, space, 2 * TOP))


@pytest.mark.parametrize("kinds", [2, 8, 10, 16, 24, 48, 100])
def test_all_are_looked_at_once_where_kinds_of_items_come_in_turns(
    kinds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(kinds)
    centres = rng.standard_normal((kinds, 32)).astype(np.float32)
    rows = centres[np.arange(20_000) % kinds] + rng.standard_normal((20_000, 32)) / 3
    space = Space(rows.astype(np.float32), np.ones(20_000, np.bool_))
    searched = []
    look = module._not_below

    def counted(*given: Any) -> Best:
        searched.append(given)
        return look(*given)

    monkeypatch.setattr(module, "_not_below", counted)
    sketch = sketch_of(space.vectors, fastest())
    nearest(showing(20_000, kinds), centres, space, sketch, TOP)
    assert len(searched) == 1


@given(
    seed=SEEDS,
    codes=CODES,
    dims=st.integers(1, 200),
    scale=st.sampled_from([1e-15, 1e-3, 1.0, 1e15]),
)
def test_a_product_lies_between_the_bounds_that_sketches_tell(
    seed: int, codes: type[np.int8] | type[np.float32], dims: int, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    rows = rows_around(50, rng, dims).vectors * np.float32(scale)
    queries = asked(Space(rows / np.float32(scale), np.ones(50, np.bool_)), 4, rng)
    rows[seed % 50] = 0
    of_rows, of_queries = sketch_of(rows, codes), sketch_of(queries, codes)
    products = np.empty((50, 4), np.int32 if codes is np.int8 else np.float32)
    multiply(of_rows.codes, np.ascontiguousarray(of_queries.codes.T), products)
    ours, theirs = of_rows.terms.astype(float)[:, None], of_queries.terms.astype(float)[None]
    nearly = products * ours[..., STEP] * theirs[..., STEP]
    margin = (theirs[..., LENGTH] + theirs[..., ERROR]) * ours[..., ERROR]
    margin += theirs[..., ERROR] * ours[..., LENGTH]
    right = rows.astype(float) @ queries.astype(float).T
    assert (np.abs(right - nearly) <= margin).all()


def test_bounds_in_bytes_are_close_enough_to_leave_most_rows_out() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1_000, 96)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert sketch_of(rows, np.int8).terms[:, ERROR].max() < 0.02


@seldom
@given(seed=SEEDS)
def test_a_search_knows_of_every_row_that_has_come_changed_or_gone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, near = rows_around(200, rng), Nearest()
    small = Space(space.vectors[:100].copy(), space.known[:100].copy())
    near.replace(small)
    filters, queries = showing(200, LISTS), asked(space, LISTS, rng)

    def compare(rows: Space) -> None:
        right = nearest(filters, queries, rows, sketch_of(rows.vectors, fastest()), TOP)
        np.testing.assert_array_equal(near.search(filters, queries, rows, TOP), right)

    compare(small)
    space.vectors[:100], space.known[:100] = small
    space.known[100:] = False
    for slot in rng.integers(0, 200, 60).tolist():  # they have outgrown their arrays
        space.vectors[slot] = 3 * rng.standard_normal(space.vectors.shape[1])
        space.known[slot] = rng.random() < 0.8
        near.follow(space, [slot])
        if rng.random() < 0.2:
            compare(space)
    compare(space)
    other = rows_around(150, rng, 9)
    near.replace(other)
    queries = asked(other, LISTS, rng)
    compare(other)


@pytest.mark.parametrize("codes", [np.int8, np.float32])
def test_an_index_without_rows_has_none_to_find(
    codes: type[np.int8] | type[np.float32],
) -> None:
    space = Space(np.empty((0, 4), np.float32), np.empty(0, np.bool_))
    found = nearest(
        showing(0, 2), np.ones((2, 4), np.float32), space, sketch_of(space.vectors, codes), 3
    )
    assert (found == -1).all()
