"""Adam for weights in numpy arrays, and the mean of where it has been lately.

Source: Kingma and Ba, arXiv:1412.6980; means of stochastic steps, Polyak and Juditsky, SIAM J.
Control Optim. 30 (1992), that begin as the polynomial-decay averaging of Shamir and Zhang, ICML
2013.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

_DECAY, _DECAY_SQUARE = 0.9, 0.999
AVERAGED_STEPS = 500
"""The mean of the weights is one over so many steps, or so."""
BEGIN_SHARE = 10
"""Before these are taken it is one over the last tenth of all steps: what is new counts at once."""


class Adam:
    """Moves weights down, in place.

    Each step follows few examples, so the weights sway around what is best. Their mean over the
    last steps sways less: it is for use, they are for learning.

    Args:
        weights: by name.
        rate: of learning.

    Attributes:
        averages: the means of the weights, by the names of these.
        arrays: the weights, what is kept of their gradients, and their means, by name.
        steps: taken so far.
    """

    def __init__(self, weights: Mapping[str, _Floats], rate: float) -> None:
        self.averages: dict[str, _Floats] = {name: w.copy() for name, w in weights.items()}
        self.arrays: dict[str, _Floats] = {
            **weights,
            **{f"mean.{name}": np.zeros_like(array) for name, array in weights.items()},
            **{f"square.{name}": np.zeros_like(array) for name, array in weights.items()},
            **{f"average.{name}": array for name, array in self.averages.items()},
        }
        self.steps = 0
        self._rate = rate

    def step(self, gradients: Mapping[str, _Floats]) -> None:
        """Take one step down these gradients, by the names of their weights."""
        self.steps += 1
        rate = np.float32(self._rate / (1 - _DECAY**self.steps))
        unbias = np.float32(1 - _DECAY_SQUARE**self.steps)
        pace = np.float32(max(1 / AVERAGED_STEPS, BEGIN_SHARE / (self.steps + BEGIN_SHARE - 1)))
        for name, gradient in gradients.items():
            mean, square = self.arrays[f"mean.{name}"], self.arrays[f"square.{name}"]
            mean += np.float32(1 - _DECAY) * (gradient - mean)
            square += np.float32(1 - _DECAY_SQUARE) * (gradient**2 - square)
            weights, average = self.arrays[name], self.averages[name]
            weights -= rate * mean / (np.sqrt(square / unbias) + np.float32(1e-8))
            average += pace * (weights - average)
