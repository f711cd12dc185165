"""Adam for weights in numpy arrays.

Source: Kingma and Ba, arXiv:1412.6980.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

_DECAY, _DECAY_SQUARE = 0.9, 0.999


class Adam:
    """Moves weights down, in place.

    Args:
        weights: by name.
        rate: of learning.

    Attributes:
        arrays: the weights and what is kept of their gradients, by name.
        steps: taken so far.
    """

    def __init__(self, weights: Mapping[str, _Floats], rate: float) -> None:
        self.arrays: dict[str, _Floats] = {
            **weights,
            **{f"mean.{name}": np.zeros_like(array) for name, array in weights.items()},
            **{f"square.{name}": np.zeros_like(array) for name, array in weights.items()},
        }
        self.steps = 0
        self._rate = rate

    def step(self, gradients: Mapping[str, _Floats]) -> None:
        """Take one step down these gradients, by the names of their weights."""
        self.steps += 1
        rate = np.float32(self._rate / (1 - _DECAY**self.steps))
        unbias = np.float32(1 - _DECAY_SQUARE**self.steps)
        for name, gradient in gradients.items():
            mean, square = self.arrays[f"mean.{name}"], self.arrays[f"square.{name}"]
            mean += np.float32(1 - _DECAY) * (gradient - mean)
            square += np.float32(1 - _DECAY_SQUARE) * (gradient**2 - square)
            self.arrays[name] -= rate * mean / (np.sqrt(square / unbias) + np.float32(1e-8))
