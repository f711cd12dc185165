"""The kernel of candidate generation: a pool of items for each list, and their raw scores."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.columns import HALF_LIVES_MS, Columns
from ranker.evidence import (
    COSINE,
    EVIDENCE,
    FORWARD,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    SOURCES,
    TITLE,
    Histories,
    Searches,
    Table,
    add_history,
    add_matches,
    add_neighbours,
    add_own_pairs,
    row_of,
)
from ranker.selection import Filters, allowed, offer

# How many each generator adds, and the order in which they take turns until the pool is full.
TOP_TITLE, TOP_QUERY, TOP_OWN, TOP_FORWARD, TOP_COSINE = 50, 50, 50, 50, 40
TOP_ATTENTION, TOP_FACTORS, TOP_POPULAR = 60, 20, 20
POOL, POOL_SEARCH = 180, 250  # candidates of a list, of a search
_TURNS = 60  # the largest of the tops
_GENERATORS = 9
RANKED = 32  # ranks within the pool that are told apart

_DESCRIBED = (
    "attention",  # inner product of the encoded history and the item's vector
    "attention_known",  # 1 = both are there, else attention is 0
    "factors",  # b_u + b_i + p_u q_i
    "factors_known",
    "popular_1d",  # touches, decayed to now by that half-life
    "popular_7d",
    "popular_30d",
    "price_fit",  # 1 = the usual price of the history, halved by a factor of 2, 0 = unknown
    "category_share",  # of the history's items, those of the candidate's category
    "brand_share",
)
_RANKS = (
    "rank_forward",  # 1 / rank within the pool by that score, 0 past RANKED or without a score
    "rank_cosine",
    "rank_attention",
    "rank_factors",
    "rank_popular_7d",
    "rank_popular_30d",
    "rank_title",
    "rank_query",
)
SCORES = EVIDENCE + _DESCRIBED + _RANKS
(
    ATTENTION,
    ATTENTION_KNOWN,
    FACTORS,
    FACTORS_KNOWN,
    POPULAR_1D,
    POPULAR_7D,
    POPULAR_30D,
    PRICE_FIT,
    CATEGORY_SHARE,
    BRAND_SHARE,
) = range(len(EVIDENCE), len(EVIDENCE) + len(_DESCRIBED))
_FIRST_RANK = len(EVIDENCE) + len(_DESCRIBED)


class Asked(NamedTuple):
    """What B lists are asked for, beside their histories, filters and searches."""

    limits: NDArray[np.int32]  # (B,) candidates at most
    restricted: NDArray[np.bool_]  # (B,) only the given items are candidates
    given: NDArray[np.int32]  # list b gives given[start[b]:start[b + 1]]
    given_start: NDArray[np.int64]  # (B + 1,)
    queries: NDArray[np.float32]  # (B, D) encoded histories
    has_query: NDArray[np.bool_]  # (B,)
    factors: NDArray[np.float32]  # (B, d + 1) the last column is 1, for the item's bias
    bias: NDArray[np.float32]  # (B,)
    has_factors: NDArray[np.bool_]  # (B,)


class Found(NamedTuple):
    """What the dense generators found, best first, padded with -1."""

    attention: NDArray[np.int32]  # (B, TOP_ATTENTION)
    factors: NDArray[np.int32]  # (B, TOP_FACTORS)
    popular_7d: NDArray[np.int32]  # (P,) for all lists, before their filters
    popular_30d: NDArray[np.int32]  # (P,)


class Batch(NamedTuple):
    """All that B pools are made of."""

    columns: Columns
    histories: Histories
    filters: Filters
    searches: Searches
    asked: Asked
    found: Found


class Pools(NamedTuple):
    """The result: C candidates a list at most, G = len(SCORES)."""

    slots: NDArray[np.int32]  # (B, C) padded with -1
    planes: NDArray[np.float32]  # (G, B, C)
    because: NDArray[np.int32]  # (B, C) history position that says most for it, -1 = none
    sizes: NDArray[np.int32]  # (B,)


def new_pools(limits: NDArray[np.int32]) -> Pools:
    """Return empty pools of up to limits[b] candidates."""
    shape = (len(limits), int(limits.max(initial=0)))
    return Pools(
        slots=np.full(shape, -1, np.int32),
        planes=np.zeros((len(SCORES), *shape), np.float32),
        because=np.full(shape, -1, np.int32),
        sizes=np.zeros(len(limits), np.int32),
    )


@kernel
def _query_score(values: NDArray[np.float32]) -> float:
    return float(values[QUERY_EXACT] + values[QUERY_SQUASHED] + values[QUERY_TERMS])


@kernel
def _top_rows(batch: Batch, b: int, table: Table, column: int, chosen: NDArray[np.int32]) -> int:
    """Fill `chosen` with the best rows by a column; QUERY_EXACT stands for all query keys."""
    top = len(chosen)
    best = np.empty(top, np.float32)
    found = 0
    for row in range(table.size[0]):
        values = table.values[row]
        value = _query_score(values) if column == QUERY_EXACT else values[column]
        if value <= 0.0 or (found == top and value <= best[top - 1]):
            continue
        slot = table.slots[row]
        if allowed(batch.columns, batch.filters, b, slot):
            found = offer(best, chosen, found, value, slot)
    return found


@kernel
def _copy_allowed(batch: Batch, b: int, slots: NDArray[np.int32], chosen: NDArray[np.int32]) -> int:
    """Fill `chosen` with the first of `slots` that the list may show."""
    found = 0
    for slot in slots:
        if found == len(chosen):
            break
        if slot >= 0 and allowed(batch.columns, batch.filters, b, slot):
            chosen[found] = slot
            found += 1
    return found


@kernel
def _generate(
    batch: Batch, b: int, table: Table, turns: NDArray[np.int32], lengths: NDArray[np.int32]
) -> None:
    """Write each generator's items, best first, into a row of `turns`."""
    own, found = table.slots[: table.distinct[0]], batch.found
    lengths[0] = _top_rows(batch, b, table, TITLE, turns[0, :TOP_TITLE])
    lengths[1] = _top_rows(batch, b, table, QUERY_EXACT, turns[1, :TOP_QUERY])
    lengths[2] = _copy_allowed(batch, b, own, turns[2, :TOP_OWN])
    lengths[3] = _top_rows(batch, b, table, FORWARD, turns[3, :TOP_FORWARD])
    lengths[4] = _top_rows(batch, b, table, COSINE, turns[4, :TOP_COSINE])
    lengths[5] = _copy_allowed(batch, b, found.attention[b], turns[5, :TOP_ATTENTION])
    lengths[6] = _copy_allowed(batch, b, found.factors[b], turns[6, :TOP_FACTORS])
    lengths[7] = _copy_allowed(batch, b, found.popular_7d, turns[7, :TOP_POPULAR])
    lengths[8] = _copy_allowed(batch, b, found.popular_30d, turns[8, :TOP_POPULAR])


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
    size = 0
    for i in range(batch.asked.given_start[b], batch.asked.given_start[b + 1]):
        slot = batch.asked.given[i]
        if taken[slot] != b and allowed(batch.columns, batch.filters, b, slot):
            taken[slot] = b
            pool[size] = slot
            size += 1
    return size


@kernel
def _describe_attributes(
    columns: Columns, own: NDArray[np.int32], pool: NDArray[np.int32], planes: NDArray[np.float32]
) -> None:
    """Compare price, category and brand with the last items of the history, `own`."""
    log_price, priced = 0.0, 0
    for slot in own:
        if columns.price[slot] > 0.0:
            log_price += math.log2(columns.price[slot])
            priced += 1
    for i in range(len(pool)):
        category, brand = columns.category[pool[i]], columns.brand[pool[i]]
        price = columns.price[pool[i]]
        same_category, same_brand = 0, 0
        for slot in own:
            same_category += category != 0 and columns.category[slot] == category
            same_brand += brand != 0 and columns.brand[slot] == brand
        if len(own) > 0:
            planes[CATEGORY_SHARE, i] = same_category / len(own)
            planes[BRAND_SHARE, i] = same_brand / len(own)
        if priced > 0 and price > 0.0:
            planes[PRICE_FIT, i] = 2.0 ** -abs(math.log2(price) - log_price / priced)


@kernel
def _describe(batch: Batch, b: int, pool: NDArray[np.int32], planes: NDArray[np.float32]) -> None:
    """Score each candidate by the models and by its popularity."""
    columns, asked = batch.columns, batch.asked
    query, factors = asked.queries[b], asked.factors[b]
    for i in range(len(pool)):
        slot = pool[i]
        if asked.has_query[b] and columns.has_vector[slot]:
            vector = columns.vectors[slot]
            product = np.float32(0.0)
            for j in range(len(vector)):
                product += query[j] * vector[j]
            planes[ATTENTION, i] = product
            planes[ATTENTION_KNOWN, i] = 1.0
        if asked.has_factors[b] and columns.has_factors[slot]:
            total = asked.bias[b]
            for j in range(len(factors)):
                total += factors[j] * columns.factors[slot, j]
            planes[FACTORS, i] = total
            planes[FACTORS_KNOWN, i] = 1.0
        elapsed = max(batch.filters.now[b] - columns.popularity_ts[slot], 0)
        for h in range(len(HALF_LIVES_MS)):
            aged = 2.0 ** (-elapsed / HALF_LIVES_MS[h])
            planes[POPULAR_1D + h, i] = columns.popularity[slot, h] * aged


@kernel
def _rank_within(
    values: NDArray[np.float32], known: NDArray[np.float32], ranks: NDArray[np.float32]
) -> None:
    """Write 1 / rank by `values`, best first, where `known` is not 0."""
    best = np.empty(RANKED, np.float32)
    order = np.empty(RANKED, np.int32)
    found = 0
    for i in range(len(values)):
        if known[i] != 0.0:
            found = offer(best, order, found, values[i], i)
    for rank in range(found):
        ranks[order[rank]] = 1.0 / (rank + 1)


@kernel
def _rank_all(planes: NDArray[np.float32]) -> None:
    plain = (FORWARD, COSINE, ATTENTION, FACTORS, POPULAR_7D, POPULAR_30D, TITLE)
    known = (FORWARD, COSINE, ATTENTION_KNOWN, FACTORS_KNOWN, POPULAR_7D, POPULAR_30D, TITLE)
    for j in range(len(plain)):
        _rank_within(planes[plain[j]], planes[known[j]], planes[_FIRST_RANK + j])
    query = planes[QUERY_EXACT] + planes[QUERY_SQUASHED] + planes[QUERY_TERMS]
    _rank_within(query, query, planes[_FIRST_RANK + len(plain)])


@kernel
def fill_pools(batch: Batch, table: Table, pools: Pools) -> None:
    """Fill the pools of all lists; `table` and `pools` come new from their makers."""
    taken = np.full(len(batch.columns.degree), -1, np.int32)
    turns = np.empty((_GENERATORS, _TURNS), np.int32)
    lengths = np.empty(_GENERATORS, np.int32)
    for b in range(len(pools.sizes)):
        add_history(table, batch.histories, b)
        add_own_pairs(table, batch.histories, b)
        add_neighbours(batch.columns, table, b)
        add_matches(table, batch.searches, b)
        pool = pools.slots[b, : batch.asked.limits[b]]
        if batch.asked.restricted[b]:
            size = _take_given(batch, b, taken, pool)
        else:
            _generate(batch, b, table, turns, lengths)
            size = _take_turns(turns, lengths, b, taken, pool)
        pools.sizes[b] = size
        planes = np.zeros(
            (len(SCORES), size), np.float32
        )  # near in memory, unlike those of a batch
        for i in range(size):
            row = row_of(table, b, pool[i])
            for score in range(len(EVIDENCE)):
                planes[score, i] = table.values[row, score]
            pools.because[b, i] = table.because[row]
        own = table.slots[: min(table.distinct[0], SOURCES)]
        _describe(batch, b, pool[:size], planes)
        _describe_attributes(batch.columns, own, pool[:size], planes)
        _rank_all(planes)
        pools.planes[:, b, :size] = planes
