"""A linear ranker that learns online: which evidence counts, by how much is known of the user."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranker.adam import Adam

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
    "own_visit_last": -1.0,  # it is on the screen already
    "own_visit_log": 0.5,
    "own_visit_recency": 0.3,
    "own_visit_fresh": 0.3,
    "own_earlier_log": 0.5,
    "own_earlier_recency": 0.3,
    "category_share": 0.3,
    "price_fit": 0.1,
    "affinity_category": 0.2,
    "affinity_brand": 0.2,
    "affinity_price": 0.1,
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
GATES = 4


class BadRankerState(ValueError):
    """Saved weights do not belong to this ranker's features."""


def gates(
    lengths: NDArray[np.int32], visited: NDArray[np.int32], searches: NDArray[np.bool_]
) -> _Floats:
    """Return how far each of the four weight vectors counts in each list, (B, 4).

    Without a query the first counts, the second the more, the shorter the history, and the third
    the more, the less of it is of the visit that goes on: not at all where all of it is. With one
    the fourth counts alone: shops without searches in their log must not unlearn what a match
    means.

    Args:
        lengths: (B,) distinct items of the history.
        visited: (B,) of these, the items of the visit that goes on.
        searches: (B,) whether the list answers a query.
    """
    short, early = (1 / (0.5 + np.log1p(count)) for count in (lengths, visited))
    weights = [~searches, short * ~searches, (early - short) * ~searches, searches]
    return np.stack(weights, axis=1).astype(np.float32)


class LinearRanker:
    """Scores are X (w + short w_short + early w_early), in searches X w_search; a softmax compares.

    Shapes: B lists, C candidates, F features. Learns by softmax cross-entropy over the candidates
    with Adam, and ranks by the mean of its late weights. Absent evidence is a feature of 0 and
    moves nothing, so nothing needs scaling.

    Attributes:
        weights: (4, F) that rank.

    Raises:
        ValueError: a prior names a feature that is not among `names`.
    """

    def __init__(
        self,
        names: Sequence[str],
        prior: Mapping[str, float] = PRIOR,
        prior_search: Mapping[str, float] = PRIOR_SEARCH,
        learning_rate: float = 3e-3,
    ) -> None:
        self.names = tuple(names)
        weights = np.zeros((GATES, len(self.names)), np.float32)
        for row, known in ((0, prior), (3, prior_search)):
            for name, weight in known.items():
                if name not in self.names:
                    raise ValueError(f"the prior weighs {name!r}, which is not a feature")
                weights[row, self.names.index(name)] = weight
        self.adam = Adam({"weights": weights}, learning_rate)
        self.weights: _Floats = self.adam.averages["weights"]

    def score(self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats) -> _Floats:
        """Return each candidate's logit, (B, C), -inf where there is none.

        Args:
            X: (B, C, F) features.
            mask: (B, C) where there is a candidate.
            gated: (B, 4) from `gates`.
        """
        return _logits(X, mask, gated, self.weights)

    def score_learning(self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats) -> _Floats:
        """Return the same by the weights that learn, from which a step goes on."""
        return _logits(X, mask, gated, self.adam.arrays["weights"])

    def step(self, X: _Floats, gated: _Floats, slope: _Floats) -> None:
        """Take one step down.

        Args:
            X: (B, C, F) features.
            gated: (B, 4) from `gates`.
            slope: (B, C) of the loss by each logit of `score_learning`; 0 where there is no
                candidate.
        """
        per_list = np.matmul(slope[:, None, :], X)[:, 0]  # (B, F)
        self.adam.step({"weights": gated.T @ per_list})


def _logits(X: _Floats, mask: NDArray[np.bool_], gated: _Floats, weights: _Floats) -> _Floats:
    logits = np.matmul(X, (gated @ weights)[:, :, None])[:, :, 0]
    return np.where(mask, logits, np.float32(-np.inf))


def softmax(logits: _Floats) -> _Floats:
    """Return shares that sum to 1 over the last axis, 0 where a logit is -inf; all 0 if all are."""
    if not logits.shape[-1]:
        return logits
    best = logits.max(axis=-1, keepdims=True)
    ratio: _Floats = np.exp(logits - np.where(np.isfinite(best), best, np.float32(0)))
    total = ratio.sum(axis=-1, keepdims=True)
    shares: _Floats = ratio / np.maximum(total, np.float32(1e-30))
    return shares
