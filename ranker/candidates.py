"""Which items are worth scoring for a user, and what each generator says about them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranker.batch import Asked, Batch, Found, Leanings
from ranker.columns import Columns
from ranker.evidence import Histories, Searches, new_table
from ranker.history import Recent
from ranker.items import ItemIndex
from ranker.lexical import NO_MATCHES
from ranker.pool import (
    POOL,
    POOL_SEARCH,
    TOP_ATTENTION,
    TOP_FACTORS,
    fill_pools,
    new_pools,
)
from ranker.popular import POPULAR
from ranker.request import LEANINGS, NO_SLOTS, Request
from ranker.scores import SCORES
from ranker.selection import Filters, factors_of, vectors_of

__all__ = ["GIVEN", "POPULAR", "SCORES", "Candidates", "generate"]

GIVEN = 1000  # so many of the items that a caller gives are ranked, the first ones

_Floats = NDArray[np.float32]
_Slots = NDArray[np.int32]


@dataclass(slots=True, frozen=True)
class Candidates:
    """The pools of B lists: C candidates at most, G = len(SCORES) raw scores.

    Attributes:
        slots: (B, C), padded with -1; no slot twice in a list.
        scores: (B, C, G), 0 where padded; each score's plane is contiguous in memory.
        because: (B, C) history position that says most for the candidate, -1 = none.
        lengths: (B,) distinct items of the history.
        visited: (B,) of these, the items of the visit that goes on.
    """

    slots: _Slots
    scores: _Floats
    because: _Slots
    lengths: _Slots
    visited: _Slots

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Where there is a candidate, (B, C)."""
        return self.slots >= 0


def generate(
    requests: Sequence[Request],
    recent: Recent,
    index: ItemIndex,
    queries: _Floats | None = None,
) -> Candidates:
    """Return the candidates of each request with their raw scores.

    Args:
        requests: B lists to make.
        recent: their histories.
        index: all items.
        queries: (B, D) encoded histories in the space of `index.vectors`; a row of zeros has
            nothing to say, None = no such model.
    """
    columns, size = index.columns, min(len(index), len(index.columns.degree))
    asked, filters = (
        _pack_asked(requests, columns, size, queries),
        _pack_filters(requests, columns, size),
    )
    batch = Batch(
        columns,
        _pack_histories(requests, recent, index, size),
        filters,
        _pack_searches(requests, index),
        asked,
        _search_dense(columns, filters, asked, size, index),
        _pack_leanings(requests),
        index.shelves,
        index.half_lives_ms,
    )
    pools = new_pools(asked.limits)
    fill_pools(batch, new_table(*columns.neighbours.shape), pools)
    used = int(pools.sizes.max(initial=0))
    return Candidates(
        slots=pools.slots[:, :used],
        scores=np.moveaxis(pools.planes[:, :, :used], 0, -1),
        because=pools.because[:, :used],
        lengths=pools.distinct,
        visited=pools.visited,
    )


def _limit(request: Request) -> int:
    if request.given is not None:
        return min(len(request.given), GIVEN)
    return POOL_SEARCH if request.is_search else POOL


def _inside(slots: _Slots, size: int) -> _Slots:
    """Replace what is not a slot of the index by -1: kernels check no bounds."""
    return np.where((slots >= 0) & (slots < size), slots, -1).astype(np.int32, copy=False)


def _starts(parts: Sequence[_Slots]) -> NDArray[np.int64]:
    return np.cumsum([0, *map(len, parts)])


def _joined(parts: Sequence[_Slots]) -> _Slots:
    return np.concatenate([NO_SLOTS, *parts]).astype(np.int32, copy=False)


def _pack_histories(
    requests: Sequence[Request], recent: Recent, index: ItemIndex, size: int
) -> Histories:
    now = np.array([request.now for request in requests], np.int64)
    return Histories(
        slots=_inside(recent.slots, size),
        kinds=recent.kinds,
        times=recent.times,
        uncounted=np.array([request.uncounted for request in requests], np.int32),
        now=now,
        left=np.array([index.landmark.left(request.now) for request in requests], np.float32),
        left_own=index.landmark.left_since(recent.times, now[:, None]),
    )


def _pack_filters(requests: Sequence[Request], columns: Columns, size: int) -> Filters:
    excluded = [np.sort(_inside(request.exclude, size)) for request in requests]
    return Filters(
        domain=columns.domain,
        status=columns.status,
        available_from=columns.available_from,
        available_to=columns.available_to,
        wanted=np.array([request.domain for request in requests], np.int8),
        now=np.array([request.now for request in requests], np.int64),
        excluded=_joined(excluded),
        start=_starts(excluded)[:-1],
        stop=_starts(excluded)[1:],
    )


def _pack_searches(requests: Sequence[Request], index: ItemIndex) -> Searches:
    matches = [
        index.search(request.terms, request.query_keys, request.now)
        if request.is_search
        else NO_MATCHES
        for request in requests
    ]
    return Searches(
        slots=_joined([match.slots for match in matches]),
        values=np.concatenate([NO_MATCHES.values, *(match.values for match in matches)]),
        kinds=np.concatenate([NO_MATCHES.kinds, *(match.kinds for match in matches)]),
        start=_starts([match.slots for match in matches]),
    )


def _pack_asked(
    requests: Sequence[Request], columns: Columns, size: int, queries: _Floats | None
) -> Asked:
    lists, dims = len(requests), columns.vectors.shape[1]
    given = [
        NO_SLOTS if request.given is None else _known(_inside(request.given, size))
        for request in requests
    ]
    factors = np.zeros((lists, columns.factors.shape[1]), np.float32)
    for b, request in enumerate(requests):
        if request.factors is not None:
            factors[b, :-1] = request.factors
            factors[b, -1] = 1.0
    if queries is None or queries.shape[1] != dims:  # the vectors of a new model are on their way
        queries = np.zeros((lists, dims), np.float32)
    return Asked(
        limits=np.array([_limit(request) for request in requests], np.int32),
        restricted=np.array([request.given is not None for request in requests], np.bool_),
        given=_joined(given),
        given_start=_starts(given),
        queries=np.ascontiguousarray(queries, np.float32),
        has_query=np.abs(queries).sum(axis=1) > 0,
        factors=factors,
        bias=np.array([request.bias for request in requests], np.float32),
        has_factors=factors[:, -1] > 0,
    )


def _pack_leanings(requests: Sequence[Request]) -> Leanings:
    shape = (len(requests), 3, LEANINGS)
    packed = Leanings(np.zeros(shape, np.int32), np.zeros(shape, np.float32))
    for b, request in enumerate(requests):
        for kind, named in enumerate((request.leaves, request.brands, request.price_bands)):
            if named:
                count = min(len(named), LEANINGS)
                packed.codes[b, kind, :count] = list(named)[:count]
                packed.shares[b, kind, :count] = list(named.values())[:count]
    return packed


def _known(slots: _Slots) -> _Slots:
    return slots[slots >= 0][:GIVEN]


def _search_dense(
    columns: Columns, filters: Filters, asked: Asked, size: int, index: ItemIndex
) -> Found:
    lists = len(asked.bias)
    found = Found(
        attention=np.full((lists, TOP_ATTENTION), -1, np.int32),
        factors=np.full((lists, TOP_FACTORS), -1, np.int32),
        popular=np.full((*index.half_lives_ms.shape, POPULAR), -1, np.int32),
    )
    for domain in set(filters.wanted.tolist()):
        found.popular[domain] = index.popular(size, domain)
    for wanted, queries, near, space, out in (
        (
            asked.has_query,
            asked.queries,
            index.near_vectors,
            vectors_of(columns, size),
            found.attention,
        ),
        (
            # Where the attention model speaks, what factors would add is what it knows better.
            asked.has_factors & ~asked.has_query,
            asked.factors,
            index.near_factors,
            factors_of(columns, size),
            found.factors,
        ),
    ):
        chosen = np.flatnonzero(wanted & ~asked.restricted)
        if len(chosen):
            out[chosen] = near.search(filters.of(chosen), queries[chosen], space, out.shape[1])
    return found
