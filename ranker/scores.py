"""What each candidate of a pool scores: raw numbers, by every generator and by its attributes."""

import math

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.batch import Batch
from ranker.columns import Columns
from ranker.evidence import (
    COSINE,
    EVIDENCE,
    FORWARD,
    OWN_COUNT,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    SOURCES,
    TITLE,
    Table,
    row_of,
)
from ranker.expectations import over_expected
from ranker.selection import inner_product, offer

RANKED = 32  # ranks within the pool that are told apart

_DESCRIBED = (
    "own_visit",  # of the touches that "own_count" counts, those of the visit that goes on
    "own_again",  # share of the history's touches that came back to an item; 0 = not in it
    "attention",  # inner product of the encoded history and the item's vector
    "attention_known",  # 1 = both are there, else attention is 0
    "factors",  # b_u + b_i + p_u q_i
    "factors_known",
    "popular_1h",  # touches, decayed to now by that half-life, or the domain's own
    "popular_1d",
    "popular_7d",
    "popular_30d",
    "price_fit",  # 1 = the usual price of the history, halved by a factor of 2, 0 = unknown
    "category_share",  # of the history's items, those of the candidate's category
    "brand_share",
    "affinity_category",  # the user's share of the candidate's narrowest category
    "affinity_brand",
    "affinity_price",  # of its band of prices
    "demand_lead",  # as `ItemState.leads`
    "conversion_lead",
    "similar_last",  # cosine of its vector and the user's last item's; 0 = unknown
    "over_expected",  # as in `ranker.expectations`
)
_RANKS = (
    "rank_forward",  # 1 / rank within the pool by that score, 0 past RANKED or without a score
    "rank_cosine",
    "rank_attention",
    "rank_factors",
    "rank_popular_1h",
    "rank_popular_1d",
    "rank_popular_7d",
    "rank_popular_30d",
    "rank_title",
    "rank_query",
)
SCORES = EVIDENCE + _DESCRIBED + _RANKS
(
    OWN_VISIT,
    OWN_AGAIN,
    ATTENTION,
    ATTENTION_KNOWN,
    FACTORS,
    FACTORS_KNOWN,
    POPULAR_1H,
    POPULAR_1D,
    POPULAR_7D,
    POPULAR_30D,
    PRICE_FIT,
    CATEGORY_SHARE,
    BRAND_SHARE,
    AFFINITY_CATEGORY,
    AFFINITY_BRAND,
    AFFINITY_PRICE,
    DEMAND_LEAD,
    CONVERSION_LEAD,
    SIMILAR_LAST,
    OVER_EXPECTED,
) = range(len(EVIDENCE), len(EVIDENCE) + len(_DESCRIBED))
_FIRST_RANK = len(EVIDENCE) + len(_DESCRIBED)
_POPULAR = (POPULAR_1H, POPULAR_1D, POPULAR_7D, POPULAR_30D)
_RANKED = (FORWARD, COSINE, ATTENTION, FACTORS, *_POPULAR, TITLE)
_WHERE_KNOWN = (FORWARD, COSINE, ATTENTION_KNOWN, FACTORS_KNOWN, *_POPULAR, TITLE)


@kernel
def _describe_attributes(
    columns: Columns, own: NDArray[np.int32], pool: NDArray[np.int32], planes: NDArray[np.float32]
) -> None:
    """Compare price, category and brand with the last items of the history, `own`."""
    log_price, priced = 0.0, 0
    categories, brands = columns.category[own], columns.brand[own]
    for slot in own:
        if columns.price[slot] > 0.0:
            log_price += math.log2(columns.price[slot])
            priced += 1
    for i in range(len(pool)):
        category, brand = columns.category[pool[i]], columns.brand[pool[i]]
        price = columns.price[pool[i]]
        same_category, same_brand = 0, 0
        for j in range(len(own)):  # a loop that vectorises
            same_category += categories[j] == category
            same_brand += brands[j] == brand
        if len(own) > 0:
            planes[CATEGORY_SHARE, i] = same_category / len(own) if category else 0.0
            planes[BRAND_SHARE, i] = same_brand / len(own) if brand else 0.0
        if priced > 0 and price > 0.0:
            planes[PRICE_FIT, i] = 2.0 ** -abs(math.log2(price) - log_price / priced)


@kernel
def _describe(batch: Batch, b: int, pool: NDArray[np.int32], planes: NDArray[np.float32]) -> None:
    """Score each candidate by the models, by its popularity and by what came of it so far."""
    columns, asked, now = batch.columns, batch.asked, batch.filters.now[b]
    query, factors = asked.queries[b], asked.factors[b]
    half_lives_ms = batch.half_lives_ms[batch.filters.wanted[b]]
    for i in range(len(pool)):
        slot = pool[i]
        if asked.has_query[b] and columns.has_vector[slot]:
            planes[ATTENTION, i] = inner_product(query, columns.vectors[slot])
            planes[ATTENTION_KNOWN, i] = 1.0
        if asked.has_factors[b] and columns.has_factors[slot]:
            planes[FACTORS, i] = asked.bias[b] + inner_product(factors, columns.factors[slot])
            planes[FACTORS_KNOWN, i] = 1.0
        planes[OVER_EXPECTED, i] = over_expected(columns.taken[slot], columns.expected[slot])
        elapsed = max(now - columns.popularity_ts[slot], 0)
        for h in range(len(half_lives_ms)):
            aged = 2.0 ** (-elapsed / half_lives_ms[h])
            planes[POPULAR_1H + h, i] = columns.popularity[slot, h] * aged


@kernel
def _describe_leanings(
    batch: Batch, b: int, pool: NDArray[np.int32], planes: NDArray[np.float32]
) -> None:
    """Say how far the user leans to each candidate, and how far it is ahead of its category."""
    columns = batch.columns
    codes, shares = batch.leanings.codes[b], batch.leanings.shares[b]
    for i in range(len(pool)):
        slot = pool[i]
        leaf, brand, band = columns.leaf[slot], columns.brand[slot], columns.price_band[slot]
        category_share = brand_share = price_share = np.float32(0.0)
        for j in range(codes.shape[1]):
            category_share += shares[0, j] if codes[0, j] == leaf else np.float32(0.0)
            brand_share += shares[1, j] if codes[1, j] == brand else np.float32(0.0)
            price_share += shares[2, j] if codes[2, j] == band else np.float32(0.0)
        planes[AFFINITY_CATEGORY, i] = category_share
        planes[AFFINITY_BRAND, i] = brand_share
        planes[AFFINITY_PRICE, i] = price_share
        planes[DEMAND_LEAD, i] = columns.leads[slot, 0]
        planes[CONVERSION_LEAD, i] = columns.leads[slot, 1]


@kernel
def _describe_similar(
    vectors: NDArray[np.float32],
    last: int,
    pool: NDArray[np.int32],
    similar: NDArray[np.float32],
) -> None:
    """Compare each candidate's vector with that of the user's last item; not it with itself."""
    vector = vectors[last]
    for i in range(len(pool)):
        if pool[i] == last:
            continue
        similar[i] = inner_product(vector, vectors[pool[i]])


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
    for j in range(len(_RANKED)):
        _rank_within(planes[_RANKED[j]], planes[_WHERE_KNOWN[j]], planes[_FIRST_RANK + j])
    query = planes[QUERY_EXACT] + planes[QUERY_SQUASHED] + planes[QUERY_TERMS]
    _rank_within(query, query, planes[_FIRST_RANK + len(_RANKED)])


@kernel
def score_pool(batch: Batch, b: int, table: Table, pool: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return all raw scores of a pool, (len(SCORES), len(pool))."""
    planes = np.zeros((len(SCORES), len(pool)), np.float32)
    distinct = table.distinct[0]
    touches = table.values[:distinct, OWN_COUNT].sum()
    for i in range(len(pool)):
        row = row_of(table, b, pool[i])
        for score in range(len(EVIDENCE)):
            planes[score, i] = table.values[row, score]
        if row < distinct:
            planes[OWN_VISIT, i] = table.visit_touches[row]
            planes[OWN_AGAIN, i] = 1.0 - distinct / touches
    own = table.slots[: min(distinct, SOURCES)]
    _describe(batch, b, pool, planes)
    _describe_attributes(batch.columns, own, pool, planes)
    _describe_leanings(batch, b, pool, planes)
    if len(own) > 0 and batch.columns.has_vector[own[0]]:
        _describe_similar(batch.columns.vectors, own[0], pool, planes[SIMILAR_LAST])
    _rank_all(planes)
    return planes
