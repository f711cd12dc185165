"""The figures that positions of what was taken are told by."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranker.metrics import accuracy, f1, hit_rate, mrr, ndcg, precision, recall
from streams.figures.result import Rates

DIGITS = 5
METRICS = {
    "hr": hit_rate,
    "mrr": mrr,
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "f1": f1,
}
"""Name -> metric of positions; every list has one item that is right."""


def rates(positions: NDArray[np.int64], k: int) -> Rates:
    """Return the figures of lists by the positions of what was taken (see `ranker.metrics`)."""
    return Rates(
        hr=round(hit_rate(positions, k), DIGITS),
        mrr=round(mrr(positions, k), DIGITS),
        ndcg=round(ndcg(positions, k), DIGITS),
    )


def at_lengths(positions: NDArray[np.int64], ks: Sequence[int]) -> dict[str, float]:
    """Return every metric of positions as `name@k`, and `accuracy`, not rounded."""
    named = {f"{name}@{k}": metric(positions, k) for k in ks for name, metric in METRICS.items()}
    return named | {"accuracy": accuracy(positions)}
