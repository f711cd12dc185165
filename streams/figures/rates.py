"""The few figures that every part of an evaluation is told by."""

import numpy as np
from numpy.typing import NDArray

from ranker.metrics import hit_rate, mrr, ndcg
from streams.figures.result import Rates

DIGITS = 5


def rates(positions: NDArray[np.int64], k: int) -> Rates:
    """Return the figures of lists by the positions of what was taken (see `ranker.metrics`)."""
    return Rates(
        hr=round(hit_rate(positions, k), DIGITS),
        mrr=round(mrr(positions, k), DIGITS),
        ndcg=round(ndcg(positions, k), DIGITS),
    )
