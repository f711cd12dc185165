"""Nearest rows among very many: a search looks into the cells whose best rows score highest.

What a list may not show is passed over as it is met, so nothing need be fetched again in place of
it. Only which cells are looked into is a guess. A list that may show few items looks into more
cells, in the end into all, which is exact.

Source: inverted files, Sivic and Zisserman, Video Google, ICCV 2003; with a coarse quantiser by
k-means, Jegou et al., Product Quantization for Nearest Neighbor Search, PAMI 2011.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.cells import Cells
from ranker.columns import DATED, HIDDEN
from ranker.selection import Best, Filters, Space, excluded, new_best, offer

PROBES = 32  # cells that a search looks into at least, and on until it saw as many rows as are in
# so many cells of the usual size: those of outstanding rows, and those of few that it may show, are
# smaller
SORTED = 512  # cells that are sorted at first, which is nearly always enough
MANY_EXCLUDED = 1024  # are marked in an array, which is then looked at in place of a binary search

_Floats = NDArray[np.float32]


class _Search(NamedTuple):
    """What kernels hand on."""

    filters: Filters
    queries: _Floats  # (B, D)
    space: Space
    cells: Cells
    best: Best


def nearest_in_cells(
    filters: Filters, queries: _Floats, space: Space, cells: Cells, top: int
) -> NDArray[np.int32]:
    """Return what `ranker.exact.nearest` returns, but for what lies in cells far away.

    A list is the same alone and in a batch.

    Args:
        filters: what each of B lists may show.
        queries: (B, D).
        space: the rows as they are now.
        cells: which rows lie where.
        top: how many.
    """
    best = new_best(len(queries), top)
    _answer(_Search(filters, np.ascontiguousarray(queries), space, cells, best))
    return best.slots


@kernel
def _barred(filters: Filters, b: int, items: int) -> NDArray[np.bool_]:
    """Mark what list `b` excludes, (items,); where that is little, return nothing."""
    slots = filters.excluded[filters.start[b] : filters.stop[b]]
    if len(slots) < MANY_EXCLUDED:
        return np.zeros(0, np.bool_)
    barred = np.zeros(items, np.bool_)
    for slot in slots:
        if 0 <= slot < items:
            barred[slot] = True
    return barred


@kernel
def _compare(query: _Floats, cells: Cells, closeness: _Floats) -> None:
    """Write what the best row of each cell is likely to score."""
    centres = cells.centres
    length = np.float32(math.sqrt((query * query).sum()))
    for c in range(len(centres)):
        total = length * cells.ahead[c]
        for j in range(len(query)):
            total += query[j] * centres[c, j]
        closeness[c] = total


@kernel
def _answer(search: _Search) -> None:
    filters, queries, cells = search.filters, search.queries, search.cells
    count = len(cells.centres)
    enough = min(PROBES, count) * cells.size.sum() // count
    closeness, some = np.empty(count, np.float32), min(SORTED, count)
    for b in range(len(queries)):
        _compare(queries[b], cells, closeness)
        farness = -closeness
        first = np.argpartition(farness, some - 1)[:some]
        first = first[np.argsort(farness[first])]
        barred = _barred(filters, b, len(search.space.known))
        seen = _look_into(search, b, first, enough, barred)
        if seen < enough and some < count:
            farness[first] = -np.inf
            rest = np.argsort(farness)[some:]
            _look_into(search, b, rest, enough - seen, barred)


@kernel
def _look_into(
    search: _Search, b: int, chosen: NDArray[np.int64], enough: int, barred: NDArray[np.bool_]
) -> int:
    """Offer the rows of cells, `PROBES` of them, and on until enough rows were seen.

    Its inner loop calls nothing but for a row that gets in: to hand on so many arrays would cost
    more than to multiply a row.

    Returns:
        How many rows were seen that the list may show; a few that it excludes are among them.
    """
    filters, query, cells, best = search.filters, search.queries[b], search.cells, search.best
    status, domain, wanted = filters.status, filters.domain, filters.wanted[b]
    now, since, until = filters.now[b], filters.available_from, filters.available_to
    known, members, rows = search.space.known, cells.members, cells.rows
    values, slots, size = best.values[b], best.slots[b], best.sizes[b]
    top, some, seen = len(values), len(barred) > 0, 0
    for i in range(len(chosen)):
        if i >= PROBES and seen >= enough:
            break
        c = chosen[i]
        begin = cells.start[c]
        for at in range(begin, begin + cells.size[c]):
            slot = members[at]
            # What came after these columns is none of this batch.
            if slot >= len(known) or not known[slot] or domain[slot] != wanted:
                continue
            if status[slot] == HIDDEN or (some and barred[slot]):
                continue
            if status[slot] == DATED and (now < since[slot] or now >= until[slot]):
                continue
            seen += 1
            total = np.float32(0.0)
            for j in range(len(query)):
                total += query[j] * rows[at, j]
            if size == top and total <= values[top - 1]:
                continue
            if some or not excluded(filters, b, slot):
                size = offer(values, slots, size, float(total), slot)
    best.sizes[b] = size
    return seen
