"""A small network that learns online what linear weights cannot: what counts with what."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from ranker.adam import Adam
from ranker.linear import GATES

_Floats = NDArray[np.float32]

HIDDEN = (32, 16)
LEARNING_RATE = 3e-3
_SCALE_STEP = 0.01  # of the running mean square that an input is divided by
_LEAST_SQUARE = 1e-4
_UNSEEN = 1e-6  # a mean square below it: the input has not been anything but 0 for long
_CONTEXT = GATES - 1  # gates that are inputs too: all but the first, which is what they leave


class Network:
    """Logits of candidates from F features and three of the list's gates: two layers with ReLU.

    Its last layer starts at 0, so it says nothing before it has learnt. Inputs are divided by their
    root mean square so far; what has always been 0 is not heeded when it no longer is, and lists
    that answer searches get no logits but 0 while none of them was learnt from: what it would say
    of them is chance. The mean of its late weights ranks.

    Args:
        features: F.
        seed: of the first weights.

    Attributes:
        adam: holds the weights.
        square: mean square of each input, (F + 3,).

    Source: first weights by He et al., arXiv:1502.01852.
    """

    def __init__(self, features: int, seed: int = 0) -> None:
        rng, inputs = np.random.default_rng(seed), features + _CONTEXT
        first, second = HIDDEN
        weights = {
            "first": rng.normal(0, np.sqrt(2 / inputs), (first, inputs)).astype(np.float32),
            "first_bias": np.zeros((first, 1), np.float32),
            "second": rng.normal(0, np.sqrt(2 / first), (second, first)).astype(np.float32),
            "second_bias": np.zeros((second, 1), np.float32),
            "last": np.zeros((1, second), np.float32),
        }
        self.adam = Adam(weights, LEARNING_RATE)
        self.square: _Floats = np.ones(inputs, np.float32)

    def score(self, X: _Floats, gated: _Floats) -> _Floats:
        """Return logits, (B, C), of features (B, C, F) and gates (B, 4)."""
        _, _, logits = _forward(self.adam.averages, self._scale(), _inputs(X, gated))
        said: _Floats = logits.reshape(X.shape[:2])
        if self.square[-1] < _UNSEEN:
            said[gated[:, -1] > 0] = 0
        return said

    def learn(self, X: _Floats, gated: _Floats, slope_of: Callable[[_Floats], _Floats]) -> None:
        """Take one step down.

        Args:
            X: (B, C, F) features.
            gated: (B, 4) from `ranker.linear.gates`.
            slope_of: returns the slope of the loss, (B, C), by the logits, (B, C), of the weights
                that learn; 0 where there is no candidate.
        """
        inputs, weights, scale = _inputs(X, gated), self.adam.arrays, self._scale()
        first, second, logits = _forward(weights, scale, inputs)
        back = slope_of(logits.reshape(X.shape[:2])).reshape(1, -1)
        back_second: _Floats = (weights["last"].T @ back) * (second > 0)  # (16, n)
        back_first: _Floats = (weights["second"].T @ back_second) * (first > 0)  # (32, n)
        self.adam.step(
            {
                "first": (back_first @ inputs.T) * scale,
                "first_bias": back_first.sum(axis=1, keepdims=True),
                "second": back_second @ first.T,
                "second_bias": back_second.sum(axis=1, keepdims=True),
                "last": back @ second.T,
            }
        )
        self._rescale(inputs[:, back[0] != 0])

    def _scale(self) -> _Floats:
        """Return what each input is multiplied by, (F + 3,)."""
        scale: _Floats = 1 / np.sqrt(self.square + np.float32(_LEAST_SQUARE))
        scale[self.square < _UNSEEN] = 0
        return scale

    def _rescale(self, inputs: _Floats) -> None:
        """Follow the mean square of the inputs."""
        if inputs.shape[1]:
            known = self.square
            pace = np.float32(max(_SCALE_STEP, 1 / self.adam.steps))
            known += pace * ((inputs**2).mean(axis=1) - known)


def _inputs(X: _Floats, gated: _Floats) -> _Floats:
    """Return one column a candidate, (F + 3, B C)."""
    lists, most, features = X.shape
    inputs = np.empty((features + _CONTEXT, lists, most), np.float32)
    inputs[:features] = np.moveaxis(X, -1, 0)
    inputs[features:] = gated.T[-_CONTEXT:, :, None]
    return inputs.reshape(len(inputs), -1)


def _forward(
    weights: Mapping[str, _Floats], scale: _Floats, inputs: _Floats
) -> tuple[_Floats, _Floats, _Floats]:
    """Return what each layer says of inputs (F + 3, n), each times its scale."""
    first = np.maximum((weights["first"] * scale) @ inputs + weights["first_bias"], 0)
    second = np.maximum(weights["second"] @ first + weights["second_bias"], 0)
    return first, second, weights["last"] @ second
