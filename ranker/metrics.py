"""How good rankings are. Pure: positions or ranked ids in, numbers out; 0.0 where there is nothing.

A position is that of the one item a user took, from 1, or 0 where it was not in the list.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Positions = NDArray[np.int64]
_Id = TypeVar("_Id", bound=Hashable)


def hit_rate(positions: _Positions, k: int) -> float:
    """Return the part of the lists whose item was among the first k, 0..1."""
    return _mean((positions > 0) & (positions <= k))


def mrr(positions: _Positions, k: int) -> float:
    """Return the mean of 1 / position, 0 past k: 0..1."""
    inside = (positions > 0) & (positions <= k)
    return _mean(np.where(inside, 1 / np.maximum(positions, 1), 0))


def ndcg(positions: _Positions, k: int) -> float:
    """Return the mean discounted gain of one relevant item, 1 / log2(1 + position): 0..1.

    Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002.
    """
    inside = (positions > 0) & (positions <= k)
    return _mean(np.where(inside, 1 / np.log2(1 + np.maximum(positions, 1)), 0))


def precision(positions: _Positions, k: int) -> float:
    """Return the part of the k places that hold the item taken; an empty place counts as a miss."""
    return hit_rate(positions, k) / k


def recall(positions: _Positions, k: int) -> float:
    """Return the part of what users took that was among the first k: of one item, the hit rate."""
    return hit_rate(positions, k)


def f1(positions: _Positions, k: int) -> float:
    """Return the mean harmonic mean of a list's precision and recall at k: of a hit 2 / (k + 1)."""
    return hit_rate(positions, k) * 2 / (k + 1)


def coverage(lists: Iterable[Sequence[Hashable]], catalogue_size: int, k: int) -> float:
    """Return the part of the catalogue that the first k places of all lists show, 0..1."""
    shown = {item for ranked in lists for item in ranked[:k]}
    return len(shown) / catalogue_size if catalogue_size else 0.0


def novelty(lists: Iterable[Sequence[_Id]], share: Mapping[_Id, float], k: int) -> float:
    """Return the mean surprise of what is shown, in bits: -log2 of an item's share of touches.

    Args:
        lists: ranked items.
        share: each item's part of all touches, 0..1; an item without one is left out.
        k: places that count.

    Source: Vargas and Castells, RecSys 2011.
    """
    shown = [share[item] for ranked in lists for item in ranked[:k] if share.get(item, 0) > 0]
    return _mean(-np.log2(np.array(shown)))


def auc(scores: NDArray[np.float64], taken: NDArray[np.bool_]) -> float:
    """Return the chance that a taken candidate scores above one that was not; ties count half.

    Returns:
        0.5 where there are none of either.
    """
    positives, negatives = int(taken.sum()), int((~taken).sum())
    if not positives or not negatives:
        return 0.5
    values, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # the mean rank of each run of ties, from 1
    ranks = middle[places.reshape(-1)] if len(values) else middle
    above = ranks[taken].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(np.mean(values, dtype=np.float64)) if values.size else 0.0
