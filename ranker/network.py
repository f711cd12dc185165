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
        _, _, logits = _forward(self.adam.averages, self._scale(), X, gated)
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
        weights, scale = self.adam.arrays, self._scale()
        first, second, logits = _forward(weights, scale, X, gated)
        back = slope_of(logits.reshape(X.shape[:2])).reshape(1, -1)
        back_second: _Floats = (weights["last"].T @ back) * (second > 0)  # (16, n)
        back_first: _Floats = (weights["second"].T @ back_second) * (first > 0)  # (32, n)
        per_list = back_first.reshape(len(first), *X.shape[:2]).sum(axis=2)  # (32, B)
        by_input = np.hstack([back_first @ _columns(X).T, per_list @ gated[:, -_CONTEXT:]])
        self.adam.step(
            {
                "first": by_input * scale,
                "first_bias": per_list.sum(axis=1, keepdims=True),
                "second": back_second @ first.T,
                "second_bias": back_second.sum(axis=1, keepdims=True),
                "last": back @ second.T,
            }
        )
        self._rescale(X, gated, (back != 0).reshape(X.shape[:2]))

    def _scale(self) -> _Floats:
        """Return what each input is multiplied by, (F + 3,)."""
        scale: _Floats = 1 / np.sqrt(self.square + np.float32(_LEAST_SQUARE))
        scale[self.square < _UNSEEN] = 0
        return scale

    def _rescale(self, X: _Floats, gated: _Floats, learnt: NDArray[np.bool_]) -> None:
        """Follow the mean square of the inputs of candidates that were learnt from, (B, C)."""
        share = learnt / np.float32(max(1, int(learnt.sum())))
        if not share.any():
            return
        squares = _columns(X) ** 2 @ share.ravel()
        of_lists = share.sum(axis=1) @ gated[:, -_CONTEXT:] ** 2
        pace = np.float32(max(_SCALE_STEP, 1 / self.adam.steps))
        self.square += pace * (np.concatenate([squares, of_lists]) - self.square)


def _columns(X: _Floats) -> _Floats:
    """Return one column a candidate, (F, B C), in the memory of features, (B, C, F)."""
    return np.moveaxis(X, -1, 0).reshape(X.shape[-1], -1)


def _forward(
    weights: Mapping[str, _Floats], scale: _Floats, X: _Floats, gated: _Floats
) -> tuple[_Floats, _Floats, _Floats]:
    """Return what each layer says of n = B C candidates, inputs times their scale first."""
    by_feature, by_gate = np.split(weights["first"] * scale, [X.shape[-1]], axis=1)
    per_list = by_gate @ gated[:, -_CONTEXT:].T + weights["first_bias"]  # (32, B)
    by_list = (by_feature @ _columns(X)).reshape(-1, *X.shape[:2])  # (32, B, C)
    by_list += per_list[:, :, None]
    first = np.maximum(by_list, 0, out=by_list).reshape(len(by_list), -1)  # (32, n)
    second = weights["second"] @ first
    second += weights["second_bias"]
    np.maximum(second, 0, out=second)
    return first, second, weights["last"] @ second
