"""How good rankings are. Pure: counts or scores in, numbers out; 0.0 where there is nothing.

Most are of positions: `positions[p]` is the number of lists whose user took the item at position p,
from 1, and `positions[0]` that of lists that did not show it, (K + 1,) for lists of up to K. So
memory does not grow with the lists, and the counts of parts add up to those of the whole.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_Counts = NDArray[np.int64]
_Floats = NDArray[np.float64]


def hit_rate(positions: _Counts, k: int) -> float:
    """Return the part of the lists whose item was among the first k, 0..1."""
    return _mean(positions, k, np.ones_like)


def accuracy(positions: _Counts) -> float:
    """Return the part of the lists whose first item was the one taken, 0..1."""
    return hit_rate(positions, 1)


def mrr(positions: _Counts, k: int) -> float:
    """Return the mean of 1 / position, 0 past k: 0..1."""
    return _mean(positions, k, lambda position: 1 / position)


def ndcg(positions: _Counts, k: int) -> float:
    """Return the mean discounted gain of one relevant item, 1 / log2(1 + position): 0..1.

    Source: Järvelin and Kekäläinen, ACM TOIS 20(4), 2002.
    """
    return _mean(positions, k, lambda position: 1 / np.log2(1 + position))


def precision(positions: _Counts, k: int) -> float:
    """Return the part of the k places that hold the item taken; an empty place counts as a miss."""
    return hit_rate(positions, k) / k


def recall(positions: _Counts, k: int) -> float:
    """Return the part of what users took that was among the first k: of one item, the hit rate."""
    return hit_rate(positions, k)


def f1(positions: _Counts, k: int) -> float:
    """Return the mean harmonic mean of a list's precision and recall at k: of a hit 2 / (k + 1)."""
    return hit_rate(positions, k) * 2 / (k + 1)


def coverage(shown: _Counts, catalogue_size: int) -> float:
    """Return the part of the catalogue that lists show, 0..1.

    Args:
        shown: (items,) how often each is shown.
        catalogue_size: items that there are.
    """
    return int(np.count_nonzero(shown)) / catalogue_size if catalogue_size else 0.0


def novelty(shown: _Counts, share: _Floats) -> float:
    """Return the mean surprise of what is shown, in bits: -log2 of an item's share of touches.

    Args:
        shown: (items,) how often each is shown.
        share: (items,) part of all touches, 0..1; an item with 0 is left out.

    Source: Vargas and Castells, RecSys 2011.
    """
    counts = shown[share > 0]
    total = counts.sum()
    return float(counts @ -np.log2(share[share > 0]) / total) if total else 0.0


def auc(scores: _Floats, taken: NDArray[np.bool_]) -> float:
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


def calibration_error(counts: _Counts, predicted: _Floats, taken: _Counts) -> float:
    """Return by how much predicted chances are off, weighted by how often they were given: 0..1.

    Args:
        counts: (bins,) predictions in each bin.
        predicted: (bins,) sum of their chances.
        taken: (bins,) how many came true.

    Source: expected calibration error, Naeini et al., AAAI 2015.
    """
    total = counts.sum()
    return float(np.abs(predicted - taken).sum() / total) if total else 0.0


def _mean(positions: _Counts, k: int, gain: Callable[[_Floats], _Floats]) -> float:
    """Return the mean gain of the lists: by position up to k, past it 0."""
    total, inside = positions.sum(), positions[1 : k + 1]
    gains = gain(np.arange(1, len(inside) + 1, dtype=np.float64))
    return float(inside @ gains / total) if total else 0.0
