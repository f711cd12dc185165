"""How good rankings are. Pure: positions or ranked ids in, numbers out; 0.0 where there is nothing.

A position is that of the one item a user took, from 1, or 0 where it was not in the list: what a
prequential evaluation has. Ranked lists against sets of relevant items serve where there are many.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_Positions = NDArray[np.int64]


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


def precision(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """Return the part of the k places that relevant items fill; an empty place counts as a miss."""
    return _found(ranked, relevant, k) / k if k > 0 else 0.0


def recall(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """Return the part of the relevant items that are among the first k."""
    return _found(ranked, relevant, k) / len(set(relevant)) if relevant else 0.0


def f1(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> float:
    """Return the harmonic mean of precision and recall at k."""
    exact, complete = precision(ranked, relevant, k), recall(ranked, relevant, k)
    return 2 * exact * complete / (exact + complete) if exact + complete else 0.0


def coverage(lists: Iterable[Sequence[Hashable]], catalogue_size: int, k: int) -> float:
    """Return the part of the catalogue that the first k places of all lists show, 0..1."""
    shown = {item for ranked in lists for item in ranked[:k]}
    return len(shown) / catalogue_size if catalogue_size else 0.0


def novelty(lists: Iterable[Sequence[Hashable]], share: dict[Hashable, float], k: int) -> float:
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


def _found(ranked: Sequence[Hashable], relevant: Collection[Hashable], k: int) -> int:
    return len(set(ranked[: max(k, 0)]) & set(relevant))


def _mean(values: NDArray[np.bool_] | NDArray[np.float64]) -> float:
    return float(np.mean(values, dtype=np.float64)) if values.size else 0.0
