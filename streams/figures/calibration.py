"""Do scores mean what they say: of what is shown with a score of 0.2, is a fifth taken?"""

import numpy as np
from numpy.typing import NDArray

from ranker.metrics import calibration_error
from streams.figures.result import Reliability

EDGES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Of the bins: close where scores are, most being low."""


class Calibration:
    """Compares the scores of shown items with whether they were taken."""

    def __init__(self) -> None:
        bins = len(EDGES) - 1
        self._shown, self._taken = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
        self._predicted = np.zeros(bins)
        self._inner = np.array(EDGES[1:-1], np.float32)

    def add(self, scores: NDArray[np.float32], position: int) -> None:
        """Take a list.

        Args:
            scores: (K,) 0..1, of the items shown.
            position: Of the one that was taken, from 1; 0 = none of them.
        """
        bins = np.searchsorted(self._inner, scores, side="right")
        self._shown += np.bincount(bins, minlength=len(self._shown))
        self._predicted += np.bincount(bins, weights=scores, minlength=len(self._shown))
        if position:
            self._taken[bins[position - 1]] += 1

    @property
    def error(self) -> float:
        """The expected calibration error over the bins, 0..1."""
        return calibration_error(self._shown, self._predicted, self._taken)

    def bins(self) -> tuple[Reliability, ...]:
        """Return the bins that have anything shown in them."""
        return tuple(
            Reliability(
                least=EDGES[one],
                most=EDGES[one + 1],
                shown=int(self._shown[one]),
                predicted=round(float(self._predicted[one] / self._shown[one]), 5),
                taken=round(float(self._taken[one] / self._shown[one]), 5),
            )
            for one in np.flatnonzero(self._shown).tolist()
        )
