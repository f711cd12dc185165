"""A linear ranker that learns online: which evidence counts, by how much is known of the user."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]

# Where learning starts: generators rank a list sensibly before any outcome is seen.
PRIOR: Mapping[str, float] = {
    "forward_relative_log": 0.3,
    "forward_relative": 1.0,
    "forward_last_relative": 1.0,
    "cosine_relative_log": 0.15,
    "cosine_relative": 1.0,
    "lift_relative": 0.5,
    "support_share": 1.0,
    "attention_close": 2.0,
    "attention_ratio": 1.0,
    "factors_close": 0.5,
    "popular_7d_relative": 0.5,
    "popular_1d_log": 0.05,
    "popular_7d_log": 0.05,
    "own_last": -1.0,  # it is on the screen already
    "own_count_log": 0.5,
    "own_recency": 0.3,
    "own_fresh": 0.3,
    "category_share": 0.3,
    "price_fit": 0.1,
}
PRIOR_SEARCH: Mapping[str, float] = {  # in lists that answer a query
    **PRIOR,
    "title_relative": 2.0,
    "title_relative_log": 0.2,
    "title_any": 1.0,
    "query_exact_relative": 4.0,
    "query_exact_log": 0.2,
    "query_squashed_relative": 2.0,
    "query_squashed_log": 0.2,
    "query_terms_relative": 2.0,
    "query_terms_log": 0.2,
}
STEP_LISTS = 16  # lists of one optimiser step: small sets need steps, not epochs
_GATES = 3


class BadRankerState(ValueError):
    """Saved weights do not belong to this ranker's features."""


def gates(lengths: NDArray[np.int32], searches: NDArray[np.bool_]) -> _Floats:
    """Return how far each of the three weight vectors counts in each list, (B, 3).

    Without a query the first counts, and the second the more, the shorter the history. With one
    the third counts alone: shops without searches in their log must not unlearn what a match means.

    Args:
        lengths: (B,) distinct items of the history.
        searches: (B,) whether the list answers a query.
    """
    short = 1 / (0.5 + np.log1p(lengths))
    weights = [~searches, short * ~searches, searches]
    return np.stack(weights, axis=1).astype(np.float32)


class LinearRanker:
    """Scores are X (w + w_short / (.5 + log(1 + n))), in searches X w_search; a softmax compares.

    Shapes: B lists, C candidates, F features. Learns by softmax cross-entropy over the candidates
    with Adam. Absent evidence is a feature of 0 and moves nothing, so nothing needs scaling.

    Raises:
        ValueError: a prior names a feature that is not among `names`.

    Source: Adam, arXiv:1412.6980.
    """

    def __init__(
        self,
        names: Sequence[str],
        prior: Mapping[str, float] = PRIOR,
        prior_search: Mapping[str, float] = PRIOR_SEARCH,
        learning_rate: float = 3e-3,
    ) -> None:
        self.names = tuple(names)
        self.learning_rate = learning_rate
        self.weights: _Floats = np.zeros((_GATES, len(self.names)), np.float32)
        for row, known in ((0, prior), (2, prior_search)):
            for name, weight in known.items():
                if name not in self.names:
                    raise ValueError(f"the prior weighs {name!r}, which is not a feature")
                self.weights[row, self.names.index(name)] = weight
        self.steps = 0
        self._mean: _Floats = np.zeros_like(self.weights)
        self._square: _Floats = np.zeros_like(self.weights)

    def score(self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats) -> _Floats:
        """Return each candidate's logit, (B, C), -inf where there is none.

        Args:
            X: (B, C, F) features.
            mask: (B, C) where there is a candidate.
            gated: (B, 3) from `gates`.
        """
        logits = np.matmul(X, (gated @ self.weights)[:, :, None])[:, :, 0]
        return np.where(mask, logits, np.float32(-np.inf))

    def learn(
        self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats, target: NDArray[np.int64]
    ) -> float:
        """Learn which candidate each user took; return the mean loss in nats before each step.

        Args:
            X: (B, C, F) features.
            mask: (B, C) where there is a candidate.
            gated: (B, 3) from `gates`.
            target: (B,) position of what the user took, -1 = not among the candidates: skipped.

        Returns:
            0.0 when there was nothing to learn from.
        """
        rows = np.flatnonzero(target >= 0)
        total = 0.0
        for begin in range(0, len(rows), STEP_LISTS):
            part = rows[begin : begin + STEP_LISTS]
            total += self._step(X[part], mask[part], gated[part], target[part])
        return total / max(1, len(rows))

    def state_dict(self) -> dict[str, Any]:
        """Return all that learning has changed, as arrays and ints."""
        return {
            "weights": self.weights.copy(),
            "mean": self._mean.copy(),
            "square": self._square.copy(),
            "steps": self.steps,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved state.

        Raises:
            BadRankerState: its weights are of other features, or not finite.
        """
        for name in ("weights", "mean", "square"):
            shape = np.shape(state[name])
            if shape != self.weights.shape:
                raise BadRankerState(f"{name} of shape {shape}, expected {self.weights.shape}")
            if not np.isfinite(state[name]).all():
                raise BadRankerState(f"{name} holds values that are not finite")
        self.weights = np.array(state["weights"], np.float32)
        self._mean = np.array(state["mean"], np.float32)
        self._square = np.array(state["square"], np.float32)
        self.steps = int(state["steps"])

    def _step(
        self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats, target: NDArray[np.int64]
    ) -> float:
        lists = np.arange(len(target))
        share = softmax(self.score(X, mask, gated))
        loss = -np.log(np.maximum(share[lists, target], np.float32(1e-12))).sum()
        share[lists, target] -= 1
        per_list = np.matmul(share[:, None, :], X)[:, 0]  # (B, F)
        self._adam(gated.T @ per_list / np.float32(len(target)))
        return float(loss)

    def _adam(self, gradient: _Floats, decay: float = 0.9, decay_square: float = 0.999) -> None:
        self.steps += 1
        self._mean += np.float32(1 - decay) * (gradient - self._mean)
        self._square += np.float32(1 - decay_square) * (gradient**2 - self._square)
        mean = self._mean / np.float32(1 - decay**self.steps)
        square = self._square / np.float32(1 - decay_square**self.steps)
        self.weights -= np.float32(self.learning_rate) * mean / (np.sqrt(square) + np.float32(1e-8))


def softmax(logits: _Floats) -> _Floats:
    """Return shares that sum to 1 over the last axis, 0 where a logit is -inf; all 0 if all are."""
    if not logits.shape[-1]:
        return logits
    best = logits.max(axis=-1, keepdims=True)
    ratio: _Floats = np.exp(logits - np.where(np.isfinite(best), best, np.float32(0)))
    total = ratio.sum(axis=-1, keepdims=True)
    shares: _Floats = ratio / np.maximum(total, np.float32(1e-30))
    return shares
