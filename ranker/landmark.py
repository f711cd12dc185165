"""The time that all fading weights of an index are kept as of.

A weight that halves with time changes all the time; as of a fixed time it does not. So weights are
multiplied once, when they come, and again by one number for all, when they are read.

Source: forward decay, Cormode et al., ICDE 2009.
"""

import numpy as np
from numpy.typing import NDArray

_TURNS = 4  # weights fade in steps, so many to a half-life: those of `features.fading`
_FARTHEST = 40.0  # half-lives from the landmark: far inside of what 32 bits can hold


class Landmark:
    """A time in ms, and how weights fade around it.

    Args:
        half_life_ms: after so long a weight is half; 0 = it never fades.
    """

    def __init__(self, half_life_ms: int = 0) -> None:
        self._half_life_ms = half_life_ms
        self._at: int | None = None

    def move(self, as_of: int) -> float:
        """Let weights as of a time come; return what those that are there must be multiplied by.

        It is 1, unless time has run away from the landmark.
        """
        if not self._half_life_ms:
            return 1.0
        if self._at is None:
            self._at = as_of
        if abs(as_of - self._at) <= _FARTHEST * self._half_life_ms:
            return 1.0
        moved = self.left(as_of) if as_of > self._at else 1.0
        self._at = max(self._at, as_of)
        return moved

    def scale(self, as_of: int) -> float:
        """Return what weights as of that time are to be multiplied by."""
        return self._power(as_of - (self._at or 0))

    def left(self, now: int) -> float:
        """Return what to multiply by for what is left of all weights at `now`, in whole turns."""
        turn_ms = self._half_life_ms // _TURNS
        return self._power((self._at or 0) - now + now % turn_ms) if turn_ms else 1.0

    def left_since(self, then: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return what is left at `now` of weights of one, added at times `then`, ms UTC."""
        turn_ms = self._half_life_ms // _TURNS
        if not turn_ms:
            return np.ones(np.broadcast_shapes(then.shape, now.shape), np.float32)
        turns = np.maximum(now // turn_ms - then // turn_ms, 0)
        left: NDArray[np.float32] = np.exp2(turns / np.float32(-_TURNS), dtype=np.float32)
        return left

    def _power(self, elapsed_ms: int) -> float:
        if not self._half_life_ms or self._at is None:
            return 1.0
        return float(2.0 ** min(elapsed_ms / self._half_life_ms, _FARTHEST))
