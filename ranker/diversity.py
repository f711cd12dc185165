"""Lists that do not say the same thing twenty times.

Source: maximal marginal relevance, Carbonell and Goldstein, SIGIR 1998.
"""

import numpy as np
from numpy.typing import NDArray

from ranker.columns import Columns

LOOKED_AT = 3  # so many times the length of the list are looked at

_Floats = NDArray[np.float32]


def similarities(columns: Columns, slots: NDArray[np.int32]) -> _Floats:
    """Return how alike the items of each list are, (B, W, W), 0..1.

    The cosine of their attention vectors; where one has none, 1 for the same category, else 0.

    Args:
        columns: all items.
        slots: (B, W), -1 = none.
    """
    known = (slots >= 0) & columns.has_vector[slots]
    vectors = columns.vectors[slots] * known[:, :, None]
    cosine = np.maximum(np.matmul(vectors, vectors.transpose(0, 2, 1)), np.float32(0))
    category = np.where(slots >= 0, columns.category[slots], 0)
    same = (category[:, :, None] == category[:, None, :]) & (category > 0)[:, :, None]
    both = known[:, :, None] & known[:, None, :]
    alike: _Floats = np.where(both, cosine, same).astype(np.float32)
    return alike


def spread(relevance: _Floats, alike: _Floats, strength: _Floats, k: int) -> NDArray[np.int64]:
    """Choose k of each list, one by one: relevant, and unlike what was chosen before.

    The next one has the highest (1 - strength) relevance - strength (likeness to the most alike of
    those chosen).

    Args:
        relevance: (B, W) 0..1, highest first; -inf = no candidate, chosen last.
        alike: (B, W, W) 0..1.
        strength: (B,) 0..1; 0 keeps the order.
        k: at most W.

    Returns:
        Positions, (B, k).
    """
    lists = np.arange(len(relevance))
    real = np.isfinite(relevance)
    worth = (1 - strength[:, None]) * np.where(real, relevance, 0)
    nearest = np.zeros_like(relevance)
    left = np.ones(relevance.shape, np.bool_)
    chosen = np.empty((len(relevance), k), np.int64)
    for place in range(k):
        score = np.where(real, worth - strength[:, None] * nearest, -9)  # below any candidate's
        score = np.where(left, score, -np.inf)  # of equals the first stays first
        pick = score.argmax(axis=1)
        chosen[:, place] = pick
        left[lists, pick] = False
        nearest = np.maximum(nearest, alike[lists, pick])
    return chosen
