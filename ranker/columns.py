"""The rows of all items, as the arrays that kernels read."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.pairs import TIE, Pairs

DAY_MS = 86_400_000
HALF_LIVES_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)  # of the three popularities, by default
NO_DOMAIN = -1  # of an item whose domain is none of the index's: no list is of it
MARKS = 7  # numbers of a mark
SHRINK = 5.0  # added to counts under a root, so that a pair seen once does not look certain
# May a list show the item: never (unknown, deleted or out of stock), always, or between its dates.
HIDDEN, SHOWN, DATED = range(3)
ALWAYS_FROM, ALWAYS_TO = 0, 2**62  # ms UTC: an item without dates is always available

_Floats = NDArray[np.float32]


class Columns(NamedTuple):
    """One row per slot: cap rows of which the index uses the first few.

    Dimensions: N neighbours, d factors, D of the vectors. Kernels take this tuple as it is. Growth
    makes a new one, so whoever holds an old one may go on reading it: every slot that it names lies
    inside its own arrays.
    """

    neighbours: NDArray[np.int32]  # (cap, N) this and what follows as in `ranker.pairs.Pairs`
    ties: _Floats  # (cap, N, len(TIE))
    degree: NDArray[np.int32]  # (cap,)
    out_weight: NDArray[np.float64]  # (cap,)
    least: _Floats  # (cap,)
    sources: NDArray[np.int32]  # (cap, N)
    source_weights: _Floats  # (cap, N, 3)
    sourced: NDArray[np.int32]  # (cap,)
    named_by: NDArray[np.int64]  # (cap,)
    mark: NDArray[np.int64]  # (cap, MARKS) `ItemState.mark` of what is known
    in_weight: _Floats  # (cap,) as of the landmark, as all of the pairs
    reach: _Floats  # (cap,) touches, likewise
    popularity: _Floats  # (cap, 3) decayed touches as of popularity_ts
    popularity_ts: NDArray[np.int64]  # (cap,) ms UTC
    popular_key: NDArray[np.float64]  # (cap, 3) sorts by popularity, whatever the time
    factors: _Floats  # (cap, d + 1) the last column is the bias
    has_factors: NDArray[np.bool_]  # (cap,)
    vectors: _Floats  # (cap, D) L2-normalised, zero where unknown
    has_vector: NDArray[np.bool_]  # (cap,)
    price: _Floats  # (cap,) 0 = unknown
    category: NDArray[np.int32]  # (cap,) code of the whole path, 0 = unknown
    leaf: NDArray[np.int32]  # (cap,) code of its last name alone, 0 = unknown
    brand: NDArray[np.int32]  # (cap,) code, 0 = unknown
    price_band: NDArray[np.int32]  # (cap,) 0 = unknown
    leads: _Floats  # (cap, 2) as `ItemState.leads`
    term_count: _Floats  # (cap,) distinct terms of the title
    domain: NDArray[np.int8]  # (cap,) number of the item's domain, or NO_DOMAIN
    status: NDArray[np.int8]  # (cap,) HIDDEN, SHOWN or DATED
    available_from: NDArray[np.int64]  # (cap,) ms UTC, inclusive
    available_to: NDArray[np.int64]  # (cap,) ms UTC, exclusive


def new_columns(capacity: int, neighbours: int, factors: int) -> Columns:
    """Return `capacity` empty rows: nothing known, nothing servable."""

    def floats(*more: int) -> _Floats:
        return np.zeros((capacity, *more), np.float32)

    def codes(*more: int) -> NDArray[np.int32]:
        return np.zeros((capacity, *more), np.int32)

    def flags() -> NDArray[np.bool_]:
        return np.zeros(capacity, np.bool_)

    def times() -> NDArray[np.int64]:
        return np.zeros(capacity, np.int64)

    return Columns(
        neighbours=codes(neighbours),
        ties=floats(neighbours, len(TIE)),
        degree=codes(),
        out_weight=np.zeros(capacity, np.float64),
        least=floats(),
        sources=codes(neighbours),
        source_weights=floats(neighbours, 3),
        sourced=codes(),
        named_by=times(),
        mark=np.zeros((capacity, MARKS), np.int64),
        in_weight=floats(),
        reach=floats(),
        popularity=floats(len(HALF_LIVES_MS)),
        popularity_ts=times(),
        popular_key=np.zeros((capacity, len(HALF_LIVES_MS)), np.float64),
        factors=floats(factors + 1),
        has_factors=flags(),
        vectors=floats(0),
        has_vector=flags(),
        price=floats(),
        category=codes(),
        leaf=codes(),
        brand=codes(),
        price_band=codes(),
        leads=floats(2),
        term_count=floats(),
        domain=np.zeros(capacity, np.int8),
        status=np.zeros(capacity, np.int8),
        available_from=times(),
        available_to=times(),
    )


def pairs_of(columns: Columns) -> Pairs:
    """Return the columns that pairs are kept in; a kernel hands on few arrays faster than many."""
    return Pairs(*(getattr(columns, name) for name in Pairs._fields))


def doubled(columns: Columns) -> Columns:
    """Return the same rows with as many empty ones behind them."""
    return Columns(*(np.concatenate([rows, np.zeros_like(rows)]) for rows in columns))
