"""Candidate generation: every generator takes its turn until a list's pool is full."""

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.batch import Batch, Pools
from ranker.evidence import (
    COSINE,
    FORWARD,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    TITLE,
    Table,
    add_history,
    add_matches,
    add_neighbours,
    add_own_pairs,
    row_of,
)
from ranker.scores import SCORES, score_pool
from ranker.selection import allowed, offer

# How many each generator adds, and the order in which they take turns until the pool is full.
TOP_TITLE, TOP_QUERY, TOP_OWN, TOP_FORWARD, TOP_COSINE = 50, 50, 50, 50, 40
TOP_ATTENTION, TOP_FACTORS, TOP_LIKED = 60, 20, 20
TOP_POPULAR = (40, 20, 20, 20)  # by each half-life, the shortest first
POOL, POOL_SEARCH = 180, 250  # candidates of a list, of a search
_TURNS = 60  # the largest of the tops
_GENERATORS = 8 + len(TOP_POPULAR)


def new_pools(limits: NDArray[np.int32]) -> Pools:
    """Return empty pools of up to limits[b] candidates."""
    shape = (len(limits), int(limits.max(initial=0)))
    return Pools(
        slots=np.full(shape, -1, np.int32),
        planes=np.zeros((len(SCORES), *shape), np.float32),
        because=np.full(shape, -1, np.int32),
        sizes=np.zeros(len(limits), np.int32),
        distinct=np.zeros(len(limits), np.int32),
        visited=np.zeros(len(limits), np.int32),
    )


@kernel
def _top_rows(batch: Batch, b: int, table: Table, column: int, chosen: NDArray[np.int32]) -> int:
    """Fill `chosen` with the best rows by a column; QUERY_EXACT stands for all query keys."""
    filters, values, top = batch.filters, table.values, len(chosen)
    best = np.empty(top, np.float32)
    found = 0
    for row in range(table.size[0]):
        value = values[row, column]
        if column == QUERY_EXACT:
            value += values[row, QUERY_SQUASHED] + values[row, QUERY_TERMS]
        if value <= 0.0 or (found == top and value <= best[top - 1]):
            continue
        slot = table.slots[row]
        if allowed(filters, b, slot):
            found = offer(best, chosen, found, value, slot)
    return found


@kernel
def _copy_allowed(batch: Batch, b: int, slots: NDArray[np.int32], chosen: NDArray[np.int32]) -> int:
    """Fill `chosen` with the first of `slots` that the list may show."""
    filters = batch.filters
    found = 0
    for slot in slots:
        if found == len(chosen):
            break
        if slot >= 0 and allowed(filters, b, slot):
            chosen[found] = slot
            found += 1
    return found


@kernel
def _popular_where_liked(batch: Batch, b: int, chosen: NDArray[np.int32]) -> int:
    """Fill `chosen` from the shelves of the user's categories, each by its share.

    As d'Hondt gives out seats: the n-th of a category stands for 1/n of the category's share.
    """
    filters, shelves = batch.filters, batch.shelves
    codes, shares = batch.leanings.codes[b, 0], batch.leanings.shares[b, 0]
    values = np.empty(len(chosen), np.float32)
    domains, domain = len(batch.half_lives_ms), filters.wanted[b]
    known = len(batch.columns.degree)  # an item that came after the columns is none of this batch
    found = 0
    for j in range(len(codes)):
        shelf = codes[j] * domains + domain
        if shares[j] <= 0.0 or shelf >= len(shelves.sizes):
            continue
        taken = 0
        for slot in shelves.slots[shelf, : shelves.sizes[shelf]]:
            value = shares[j] / (taken + 1)
            if found == len(chosen) and value <= values[found - 1]:
                break
            if 0 <= slot < known and allowed(filters, b, slot):
                found = offer(values, chosen, found, value, slot)
                taken += 1
    return found


@kernel
def _generate(
    batch: Batch, b: int, table: Table, turns: NDArray[np.int32], lengths: NDArray[np.int32]
) -> None:
    """Write each generator's items, best first, into a row of `turns`."""
    own, found = table.slots[: table.distinct[0]], batch.found
    lengths[0] = lengths[1] = 0
    if batch.searches.start[b] < batch.searches.start[b + 1]:
        lengths[0] = _top_rows(batch, b, table, TITLE, turns[0, :TOP_TITLE])
        lengths[1] = _top_rows(batch, b, table, QUERY_EXACT, turns[1, :TOP_QUERY])
    lengths[2] = _copy_allowed(batch, b, own, turns[2, :TOP_OWN])
    lengths[3] = _top_rows(batch, b, table, FORWARD, turns[3, :TOP_FORWARD])
    lengths[4] = _top_rows(batch, b, table, COSINE, turns[4, :TOP_COSINE])
    lengths[5] = _copy_allowed(batch, b, found.attention[b], turns[5, :TOP_ATTENTION])
    lengths[6] = _copy_allowed(batch, b, found.factors[b], turns[6, :TOP_FACTORS])
    lengths[7] = _popular_where_liked(batch, b, turns[7, :TOP_LIKED])
    popular = found.popular[batch.filters.wanted[b]]
    for h in range(len(TOP_POPULAR)):
        lengths[8 + h] = _copy_allowed(batch, b, popular[h], turns[8 + h, : TOP_POPULAR[h]])


@kernel
def _take_turns(
    turns: NDArray[np.int32],
    lengths: NDArray[np.int32],
    b: int,
    taken: NDArray[np.int32],
    pool: NDArray[np.int32],
) -> int:
    """Fill the pool rank by rank, so that a full pool has cut the worst of every generator."""
    size = 0
    for turn in range(turns.shape[1]):
        for generator in range(len(lengths)):
            if turn >= lengths[generator] or size == len(pool):
                continue
            slot = turns[generator, turn]
            if taken[slot] != b:
                taken[slot] = b
                pool[size] = slot
                size += 1
    return size


@kernel
def _take_given(batch: Batch, b: int, taken: NDArray[np.int32], pool: NDArray[np.int32]) -> int:
    filters, asked = batch.filters, batch.asked
    size = 0
    for i in range(asked.given_start[b], asked.given_start[b + 1]):
        slot = asked.given[i]
        if taken[slot] != b and allowed(filters, b, slot):
            taken[slot] = b
            pool[size] = slot
            size += 1
    return size


@kernel
def fill_pools(batch: Batch, table: Table, pools: Pools) -> None:
    """Fill the pools of all lists; `table` and `pools` come new from their makers."""
    taken = np.full(len(batch.columns.degree), -1, np.int32)
    turns = np.empty((_GENERATORS, _TURNS), np.int32)
    lengths = np.empty(_GENERATORS, np.int32)
    for b in range(len(pools.sizes)):
        add_history(table, batch.histories, b)
        add_own_pairs(table, batch.histories, b)
        add_neighbours(batch.columns, table, batch.histories, b)
        add_matches(table, batch.searches, b)
        pool = pools.slots[b, : batch.asked.limits[b]]
        if batch.asked.restricted[b]:
            size = _take_given(batch, b, taken, pool)
        else:
            _generate(batch, b, table, turns, lengths)
            size = _take_turns(turns, lengths, b, taken, pool)
        pools.sizes[b] = size
        pools.distinct[b] = table.distinct[0]
        pools.visited[b] = table.visited[0]
        # Scored where it is near in memory, unlike the planes of a whole batch.
        pools.planes[:, b, :size] = score_pool(batch, b, table, pool[:size])
        for i in range(size):
            pools.because[b, i] = table.because[row_of(table, b, pool[i])]
