"""Rows to look for the nearest among, and what lists may show of them."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.cells import Cells
from ranker.columns import DATED, HIDDEN, SHOWN
from ranker.exact import nearest
from ranker.selection import Filters, Space
from ranker.sketch import fastest, sketch_of
from tests.ranker.shops import NOW

SEEDS = st.integers(0, 10_000)
DIMS = 6
TOP = 10


def rows_around(items: int, rng: np.random.Generator, dims: int = DIMS) -> Space:
    """Return rows in clusters, of any length; one in ten is not known."""
    centres = rng.standard_normal((max(1, items // 40), dims))
    rows = centres[rng.integers(0, len(centres), items)] * rng.uniform(0.5, 2, (items, 1))
    rows += rng.standard_normal((items, dims)) / 3
    return Space(rows.astype(np.float32), rng.random(items) < 0.9)


def asked(space: Space, lists: int, rng: np.random.Generator) -> NDArray[np.float32]:
    near = space.vectors[rng.integers(0, len(space.vectors), lists)]
    return (near + rng.standard_normal(near.shape) / 3).astype(np.float32)


def showing(items: int, lists: int, **given: Any) -> Filters:
    """Return filters that let everything pass but what is given."""
    values = {
        "domain": np.zeros(items, np.int8),
        "status": np.full(items, SHOWN, np.int8),
        "available_from": np.zeros(items, np.int64),
        "available_to": np.full(items, NOW, np.int64),
        "wanted": np.zeros(lists, np.int8),
        "now": np.zeros(lists, np.int64),
        "excluded": np.empty(0, np.int32),
        "start": np.zeros(lists, np.int64),
        "stop": np.zeros(lists, np.int64),
    }
    return Filters(**(values | given))  # type: ignore[arg-type]  # arrays by name


def random_filters(items: int, lists: int, rng: np.random.Generator) -> Filters:
    """Return filters that hide, date, part into domains, and exclude: each a little or a lot."""
    excluded = [
        np.flatnonzero(rng.random(items) < rng.choice([0, 0.01, 0.6, 0.99])) for _ in range(lists)
    ]
    ends = np.cumsum([len(slots) for slots in excluded])
    return showing(
        items,
        lists,
        domain=rng.choice([-1, 0, 1], items, p=[0.1, 0.8, 0.1]).astype(np.int8),
        status=rng.choice([HIDDEN, SHOWN, DATED], items).astype(np.int8),
        available_from=rng.integers(0, 20, items),
        available_to=rng.integers(10, 30, items),
        wanted=rng.integers(0, 2, lists).astype(np.int8),
        now=rng.integers(0, 30, lists),
        excluded=np.concatenate(excluded).astype(np.int32),
        start=np.append(0, ends[:-1]).astype(np.int64),
        stop=ends.astype(np.int64),
    )


def may_show(filters: Filters, b: int, space: Space) -> NDArray[np.bool_]:
    now = filters.now[b]
    there = (filters.available_from <= now) & (now < filters.available_to)
    passing: NDArray[np.bool_] = (
        space.known & (filters.domain == filters.wanted[b]) & (filters.status != HIDDEN)
    )
    passing &= (filters.status != DATED) | there
    passing[filters.excluded[filters.start[b] : filters.stop[b]]] = False
    return passing


def exactly(
    filters: Filters, queries: NDArray[np.float32], space: Space, top: int
) -> NDArray[np.int32]:
    """Return the nearest by looking at all, (B, top)."""
    return nearest(filters, queries, space, sketch_of(space.vectors, fastest()), top)


def consistent(cells: Cells, space: Space) -> None:
    """Check that each known row is in one cell, that of its nearest centre, and no other row is."""
    held = [
        cells.members[start : start + size].tolist()
        for start, size in zip(cells.start, cells.size, strict=True)
    ]
    known = np.flatnonzero(space.known)
    assert sorted(slot for cell in held for slot in cell) == known.tolist()
    for c, cell in enumerate(held):
        rows = cells.rows[cells.start[c] : cells.start[c] + cells.size[c]]
        np.testing.assert_array_equal(rows, space.vectors[cell])
        assert (cells.cell[cell] == c).all()
        assert len(cell) <= cells.room[c]
    distance = ((space.vectors[known, None] - cells.centres[None]) ** 2).sum(axis=2)
    chosen = distance[np.arange(len(known)), cells.cell[known]]
    np.testing.assert_allclose(chosen, distance.min(axis=1), rtol=1e-3, atol=1e-3)
