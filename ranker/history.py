"""What users did: to rank by, as arrays, and to learn from."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ranker.evidence import HISTORY, PURCHASE
from ranker.request import Request

PAUSES = 24
"""Lengths of pauses that are told apart: from 2^n - 1 s for n = 0..22, and that nothing came
before."""
MANNERS = 2 * PAUSES
"""Of a click after each of these pauses, and of a purchase."""


class History(NamedTuple):
    """What one user touched, in time order.

    Attributes:
        item_ids: n ids.
        manners: (n,) as `manners` returns them.
    """

    item_ids: Sequence[str]
    manners: NDArray[np.int8]

    @classmethod
    def of(
        cls,
        item_ids: Sequence[str],
        times: Sequence[int] | NDArray[np.integer],
        kinds: Sequence[int] | NDArray[np.integer],
    ) -> Self:
        """Return the history of these touches: their items, ms UTC, and 0 click, 2 purchase."""
        first = np.arange(len(item_ids)) == 0
        return cls(item_ids, manners(np.array(times, np.int64), np.array(kinds, np.int8), first))


class Recent(NamedTuple):
    """The newest touches of B requests' histories, newest first, padded to `HISTORY`."""

    slots: NDArray[np.int32]  # (B, HISTORY) -1 = none, or unknown
    kinds: NDArray[np.int8]  # 0 click, 2 purchase
    times: NDArray[np.int64]  # ms UTC


def recent_of(requests: Sequence[Request]) -> Recent:
    """Return the newest touches of each request's history."""
    shape = (len(requests), HISTORY)
    slots, kinds = np.full(shape, -1, np.int32), np.zeros(shape, np.int8)
    times = np.zeros(shape, np.int64)
    for b, request in enumerate(requests):
        length = min(len(request.history), HISTORY)
        slots[b, :length] = request.history[:length]
        kinds[b, :length] = request.history_kinds[:length]
        times[b, :length] = request.history_times[:length]
    return Recent(slots, kinds, times)


def manners(
    times: NDArray[np.integer], kinds: NDArray[np.integer], first: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Return how each touch came, 0..MANNERS - 1: after what pause, and by what kind of event.

    Args:
        times: (..., n) ms UTC, oldest first.
        kinds: likewise, 0 click, 2 purchase.
        first: likewise, where no touch came before; the pause from what stands there is none.
    """
    seconds = np.diff(times, axis=-1, prepend=times[..., :1]) // 1000
    _, bits = np.frexp(np.maximum(seconds, 0) + 1)  # 2^(bits - 1) is the power of 2 below
    pauses = np.where(first, PAUSES - 1, np.minimum(bits - 1, PAUSES - 2))
    came: NDArray[np.int8] = (pauses + PAUSES * (kinds == PURCHASE)).astype(np.int8)
    return came
