"""What a batch of items tells, as arrays: written into the columns of an index all at once.

To write one number into an array from Python takes as long as to write hundreds from an array.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranker.columns import Columns
from ranker.item_state import ItemState
from ranker.pair_writer import Told

_Doubles = NDArray[np.float64]
_Slots = NDArray[np.int32]


def told_of(
    slots: _Slots, states: Sequence[ItemState], sources: Sequence[int], scales: _Doubles
) -> Told:
    """Return what states tell of pairs.

    Args:
        slots: of the B items, (B,).
        states: of each.
        sources: slots of the predecessors of all, one state after the other, (S,).
        scales: turn weights into those as of the landmark, (B,).
    """
    nothing = np.zeros(max((len(s.predecessors) for s in states), default=0), np.float32)
    bought = [nothing[: len(s.predecessors)] if s.bought is None else s.bought for s in states]
    weights = np.empty((len(sources), 3), np.float32)
    told = [s.forward for s in states], [s.passages for s in states], bought
    for number, column in enumerate(told):
        np.concatenate(column, out=weights[:, number], casting="same_kind")
    return Told(
        rows=slots,
        partial=np.array([state.partial for state in states]),
        lengths=np.array([len(state.predecessors) for state in states]),
        sources=np.array(sources, np.int32),
        weights=weights,
        scales=scales.astype(np.float32),
    )


def write_figures(
    to: Columns,
    slots: _Slots,
    states: Sequence[ItemState],
    scales: _Doubles,
    half_lives_ms: _Doubles,
) -> None:
    """Write all that events change of items beside their pairs.

    Args:
        to: all items, their domains as after the change.
        slots: of the B items, (B,).
        states: of each.
        scales: as in `told_of`.
        half_lives_ms: of the popularities of every domain, (domains, H).
    """
    to.mark[slots] = [state.mark for state in states]
    to.in_weight[slots] = np.array([state.in_weight for state in states]) * scales
    to.reach[slots] = np.array([state.reach for state in states]) * scales
    to.leads[slots] = [state.leads for state in states]
    popularity = np.array([state.popularity for state in states], np.float64)
    times = np.array([state.popularity_ts for state in states])
    to.popularity[slots], to.popularity_ts[slots] = popularity, times
    to.popular_key[slots] = popular_keys(popularity, times, half_lives_ms[to.domain[slots]])
    known = [state for state in states if state.factors is not None]
    factors = np.zeros((len(states), to.factors.shape[1]), np.float32)
    there = np.array([state.factors is not None for state in states])
    if known:
        factors[there, :-1] = [state.factors for state in known]
        factors[there, -1] = [state.bias for state in known]
    to.factors[slots], to.has_factors[slots] = factors, there


def popular_keys(popularity: _Doubles, ts: NDArray[np.int64], half_lives_ms: _Doubles) -> _Doubles:
    """Return log2 of each popularity, as if nothing had decayed since 1970; -inf for none.

    Source: forward decay, Cormode et al., ICDE 2009: the order of decayed counts never changes
    between their updates, so one number sorts them at any time.

    Args:
        popularity: (B, H).
        ts: ms UTC at which it holds, (B,).
        half_lives_ms: of each of them, (B, H).
    """
    logarithms = np.log2(popularity, where=popularity > 0, out=np.full_like(popularity, -np.inf))
    keys: _Doubles = logarithms + ts[:, None] / half_lives_ms
    return keys
