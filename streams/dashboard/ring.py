"""The last hours of many numbers, in a fixed amount of memory: fine for one, coarse for a day."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


class Thinned(NamedTuple):
    """Points of a window, oldest first.

    Attributes:
        times: Where each point's span begins, s.
        values: (len(times), columns) the mean of what was recorded in the span; NaN for nothing.
    """

    times: NDArray[np.int64]
    values: _Floats


class Ring:
    """Means of numbers over equal spans of time, of the last `slots` spans.

    Args:
        step_s: Length of a span.
        slots: How many are kept.
        columns: Numbers recorded together.
    """

    def __init__(self, step_s: int, slots: int, columns: int) -> None:
        self.step_s = step_s
        self.slots = slots
        self._sums = np.zeros((slots, columns), np.float64)
        self._counts = np.zeros((slots, columns), np.uint16)
        self._newest: int | None = None
        self._oldest = 0

    def add(self, at_s: float, values: Sequence[float]) -> None:
        """Record numbers of a moment, NaN for unknown.

        One before the newest span is left out: a clock was set back.
        """
        slot = int(at_s // self.step_s)
        if self._newest is None or slot - self._newest >= self.slots:
            self._counts[:], self._sums[:] = 0, 0.0
            self._oldest = slot
        elif slot < self._newest:
            return
        else:
            passed = np.arange(self._newest + 1, slot + 1) % self.slots
            self._counts[passed], self._sums[passed] = 0, 0.0
        self._newest = slot
        given = np.asarray(values, np.float64)
        known = ~np.isnan(given)
        row = slot % self.slots
        self._sums[row, known] += given[known]
        self._counts[row, known] += 1

    def thinned(self, window_s: int, points: int) -> Thinned:
        """Return the newest spans of a window, as at most `points` means of equal length.

        It begins where recording began, if that is later.

        Spans are joined at multiples of their joint length, so a point that is past stays as it is.
        """
        columns = self._sums.shape[1]
        if self._newest is None:
            return Thinned(np.zeros(0, np.int64), np.zeros((0, columns)))
        length = min(self.slots, -(-window_s // self.step_s))
        joined = -(-length // points)
        last = self._newest // joined
        whole = -(-(self._newest - self.slots + 1) // joined)  # no slot of it is overwritten yet
        first = max(last - -(-length // joined) + 1, whole, self._oldest // joined)
        groups = np.arange(first, last + 1)
        slots = groups[:, None] * joined + np.arange(joined)  # (points, joined)
        # Of the newest group only the beginning has come: what lies there is a round older.
        present = (slots <= self._newest)[:, :, None]
        rows = slots % self.slots
        counts = np.where(present, self._counts[rows], 0).sum(1, dtype=np.int64)
        sums = np.where(present, self._sums[rows], 0.0).sum(1)
        with np.errstate(invalid="ignore"):
            means = np.where(counts > 0, sums / counts, np.nan)
        return Thinned(groups * joined * self.step_s, means)


class History:
    """An hour in fine spans and a day in coarse ones.

    Args:
        columns: Names of what is recorded together, in order.
        fine_s: Length of a fine span; as often as numbers come.
    """

    HOUR_S, DAY_S, COARSE_S = 3600, 86_400, 60

    def __init__(self, columns: Sequence[str], fine_s: int) -> None:
        self.columns = tuple(columns)
        self._fine = Ring(fine_s, self.HOUR_S // fine_s, len(self.columns))
        self._coarse = Ring(self.COARSE_S, self.DAY_S // self.COARSE_S, len(self.columns))

    def add(self, at_s: float, values: Sequence[float]) -> None:
        """Record numbers of a moment, in the order of `columns`."""
        for ring in (self._fine, self._coarse):
            ring.add(at_s, values)

    def thinned(self, window_s: int, points: int) -> Thinned:
        """Return the last so many seconds, as at most so many points."""
        ring = self._fine if window_s <= self.HOUR_S else self._coarse
        return ring.thinned(window_s, points)
