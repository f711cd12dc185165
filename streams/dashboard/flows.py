"""Counters -> how fast they grow; histograms -> percentiles; parts -> shares."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Name = TypeVar("Name")
Source = TypeVar("Source")

_Floats = NDArray[np.float64]


class Flows(Generic[Source, Name]):
    """Growth of counters between two looks at each source, a second.

    What is kept is the last look at every source; `keep` forgets those that are gone.
    """

    def __init__(self) -> None:
        self._seen: dict[Source, tuple[float, dict[Name, float]]] = {}

    def of(self, source: Source, at_s: float, counters: Mapping[Name, float]) -> dict[Name, float]:
        """Return how fast each counter grew since the last look; nothing at the first.

        A counter that is lower than before has begun anew, at zero; so has one that is new.
        """
        before = self._seen.get(source)
        if before is not None and at_s <= before[0]:
            return {}
        self._seen[source] = (at_s, dict(counters))
        if before is None:
            return {}
        then_s, old = before
        return {
            name: (value - known if value >= (known := old.get(name, 0.0)) else value)
            / (at_s - then_s)
            for name, value in counters.items()
        }

    def keep(self, sources: Sequence[Source]) -> None:
        """Forget every source but these."""
        wanted = set(sources)
        self._seen = {source: look for source, look in self._seen.items() if source in wanted}


def quantiles(bounds: Sequence[float], counts: _Floats, q: float) -> _Floats:
    """Return a quantile of each row of a histogram; NaN where it has counted nothing.

    Args:
        bounds: (B,) upper end of each bucket but the last, which has none.
        counts: (rows, B + 1) what fell into each bucket, not what fell below its end.
        q: Which one, 0..1.

    Within a bucket values count as evenly spread; above the highest bound it is that bound.
    """
    edges = np.array([0.0, *bounds, bounds[-1]])  # (B + 2,)
    counted = np.nan_to_num(counts, nan=0.0)
    below = np.concatenate([np.zeros((len(counted), 1)), np.cumsum(counted, 1)], 1)
    wanted = q * below[:, -1]
    buckets = np.minimum((below[:, 1:] < wanted[:, None]).sum(1), counted.shape[1] - 1)
    rows = np.arange(len(counted))
    inside = counted[rows, buckets]
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(inside > 0, (wanted - below[rows, buckets]) / inside, 0.0)
    found = edges[buckets] + np.clip(part, 0, 1) * (edges[buckets + 1] - edges[buckets])
    return np.where(below[:, -1] > 0, found, np.nan)


def ratio(parts: _Floats, wholes: _Floats) -> _Floats:
    """Return parts / wholes; NaN where there is no whole."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(wholes > 0, parts / wholes, np.nan)


def trailing(values: _Floats, points: int) -> _Floats:
    """Return the sum of each point and those before it, so many in all; NaN counts as nothing."""
    sums = np.cumsum(np.nan_to_num(values, nan=0.0), 0)
    sums[points:] -= sums[:-points]
    return sums
