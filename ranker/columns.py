"""The rows of all items, as the arrays that kernels read."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.pairs import TIE, Pairs

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
HALF_LIVES_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)  # of popularity, by default
BY_DAY, BY_WEEK = 1, 2  # of these
NO_DOMAIN = -1  # of an item whose domain is none of the index's: no list is of it
MARKS = 7  # numbers of a mark
SHRINK = 5.0  # added to counts under a root, so that a pair seen once does not look certain
# May a list show the item: never (unknown, deleted or out of stock), always, or between its dates.
HIDDEN, SHOWN, DATED = range(3)
ALWAYS_FROM, ALWAYS_TO = 0, 2**62  # ms UTC: an item without dates is always available

_Floats = NDArray[np.float32]

# What a list reads of one candidate after the other lies together in memory: a line or two of the
# processor's cache hold all of it, where each column would be a line of its own.
_TOGETHER = (
    np.dtype([("in_weight", "f4"), ("reach", "f4")]),
    np.dtype(
        {
            "names": ["popularity", "popularity_ts", "price", "category", "leaf", "brand",
                      "price_band", "leads", "taken", "expected"],
            "formats": [("f4", len(HALF_LIVES_MS)), "i8", "f4", "i4", "i4", "i4", "i4", ("f4", 2),
                        "f4", "f4"],
            "offsets": [8, 0, 24, 28, 32, 36, 40, 44, 52, 56],
            "itemsize": 64,
        }
    ),
)  # fmt: skip


class Columns(NamedTuple):
    """One row per slot: cap rows of which the index uses the first few.

    Dimensions: N neighbours, H half-lives, d factors, D of the vectors. Kernels take this tuple as
    it is. Growth makes a new one, so whoever holds an old one may go on reading it: every slot that
    it names lies inside its own arrays.
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
    popularity: _Floats  # (cap, H) decayed touches as of popularity_ts
    popularity_ts: NDArray[np.int64]  # (cap,) ms UTC
    popular_key: NDArray[np.float64]  # (cap, H) sorts by popularity, whatever the time
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
    taken: _Floats  # (cap,) this and what follows as in `ranker.expectations`
    expected: _Floats  # (cap,)
    term_count: _Floats  # (cap,) distinct terms of the title
    domain: NDArray[np.int8]  # (cap,) number of the item's domain, or NO_DOMAIN
    status: NDArray[np.int8]  # (cap,) HIDDEN, SHOWN or DATED
    available_from: NDArray[np.int64]  # (cap,) ms UTC, inclusive
    available_to: NDArray[np.int64]  # (cap,) ms UTC, exclusive


def new_columns(capacity: int, neighbours: int, factors: int, dims: int = 0) -> Columns:
    """Return `capacity` empty rows: nothing known, nothing servable."""

    def column(kind: type[np.generic], *more: int) -> NDArray[Any]:
        return np.zeros((capacity, *more), kind)

    together = {
        name: records[name]
        for records in (np.zeros(capacity, kinds) for kinds in _TOGETHER)
        for name in records.dtype.names or ()
    }
    return Columns(
        neighbours=column(np.int32, neighbours),
        ties=column(np.float32, neighbours, len(TIE)),
        degree=column(np.int32),
        out_weight=column(np.float64),
        least=column(np.float32),
        sources=column(np.int32, neighbours),
        source_weights=column(np.float32, neighbours, 3),
        sourced=column(np.int32),
        named_by=column(np.int64),
        mark=column(np.int64, MARKS),
        popular_key=column(np.float64, len(HALF_LIVES_MS)),
        factors=column(np.float32, factors + 1),
        has_factors=column(np.bool_),
        vectors=column(np.float32, dims),
        has_vector=column(np.bool_),
        term_count=column(np.float32),
        domain=column(np.int8),
        status=column(np.int8),
        available_from=column(np.int64),
        available_to=column(np.int64),
        **together,
    )


def pairs_of(columns: Columns) -> Pairs:
    """Return the columns that pairs are kept in; a kernel hands on few arrays faster than many."""
    return Pairs(*(getattr(columns, name) for name in Pairs._fields))


def doubled(columns: Columns) -> Columns:
    """Return the same rows with as many empty ones behind them."""
    capacity, neighbours = columns.neighbours.shape
    factors, dims = columns.factors.shape[1] - 1, columns.vectors.shape[1]
    more = new_columns(2 * capacity, neighbours, factors, dims)
    for name, rows in columns._asdict().items():
        getattr(more, name)[:capacity] = rows
    return more
