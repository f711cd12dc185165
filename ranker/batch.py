"""What a batch of lists is made of, and the pools that come out: the arrays that kernels share."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.columns import Columns
from ranker.evidence import Histories, Searches
from ranker.selection import Filters
from ranker.shelves import Shelves


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
    popular: NDArray[np.int32]  # (domains, H, P) by each half-life, before the lists' filters


class Leanings(NamedTuple):
    """What B users lean to: narrowest categories, brands and bands of prices, M of each at most."""

    codes: NDArray[np.int32]  # (B, 3, M) as in Columns, the heaviest first
    shares: NDArray[np.float32]  # (B, 3, M) 0 = nothing; those of one kind add up to 1 at most


class Batch(NamedTuple):
    """All that B pools are made of."""

    columns: Columns
    histories: Histories
    filters: Filters
    searches: Searches
    asked: Asked
    found: Found
    leanings: Leanings
    shelves: Shelves
    half_lives_ms: NDArray[np.float64]  # (domains, H) of the popularities


class Pools(NamedTuple):
    """The result: C candidates a list at most, G = len(SCORES)."""

    slots: NDArray[np.int32]  # (B, C) padded with -1
    planes: NDArray[np.float32]  # (G, B, C)
    because: NDArray[np.int32]  # (B, C) history position that says most for it, -1 = none
    sizes: NDArray[np.int32]  # (B,)
    distinct: NDArray[np.int32]  # (B,) items of the history
    visited: NDArray[np.int32]  # (B,) of these, the items of the visit that goes on
