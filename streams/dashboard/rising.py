"""Which items people touch most, and which of them more than they used to."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.floating[Any]]


class Standing(NamedTuple):
    """Items by their places in the arrays they were found in, the best first."""

    top: NDArray[np.int64]
    rising: NDArray[np.int64]
    pace: _Floats
    """For each of `rising`: its touches lately by those expected, one more of each."""


def standing(lately: _Floats, long_run: _Floats, most: int) -> Standing:
    """Return the most popular and the rising.

    Args:
        lately: (I,) decayed touches under a short half-life.
        long_run: (I,) under a long one, as of the same time.
        most: How many of each.

    What an item would have lately, did it keep its share of all touches, is its expectation. It
    rises by how far it is above that, in the standard deviations that chance has for such a count:
    one touch of a new item says little, and a busy hour, which lifts all, says nothing.
    """
    top = best(lately, most)
    top = top[lately[top] > 0]
    whole, whole_lately = float(long_run.sum()), float(lately.sum())
    if not whole or not whole_lately:
        nothing = np.zeros(0, np.int64)
        return Standing(top, nothing, np.zeros(0))
    expected = long_run / whole * whole_lately  # in this order it is finite
    above = (lately - expected) / np.sqrt(expected + 1.0)
    rising = best(above, most)
    rising = rising[above[rising] >= 1.0]
    return Standing(top, rising, (lately[rising] + 1.0) / (expected[rising] + 1.0))


def best(values: _Floats, most: int) -> NDArray[np.int64]:
    """Return the places of the highest values, the highest first; of equal ones the first."""
    places = np.arange(len(values))
    if len(values) > most:
        least = np.partition(values, len(values) - most)[len(values) - most]
        places = np.flatnonzero(values >= least)
    order = np.argsort(-values[places], kind="stable")[:most]
    return places[order].astype(np.int64)
