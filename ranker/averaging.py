"""The mean of a model's weights over the end of its training."""

from collections.abc import Iterable

from torch import Tensor


class Average:
    """Keeps the mean of weights as they were at several moments.

    Late in training weights walk around a good place rather than into it; their mean lies closer to
    it than any of them, and ranks what was not learnt from better.

    Source: stochastic weight averaging, Izmailov et al., arXiv:1803.05407.

    Args:
        weights: of the model, which go on changing in place.
    """

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self._weights = [one.detach() for one in weights]
        self._means: list[Tensor] = []
        self._moments = 0

    def add(self) -> None:
        """Let the weights count as they are now."""
        self._moments += 1
        if self._moments == 1:
            self._means = [one.clone() for one in self._weights]
        else:
            for mean, weights in zip(self._means, self._weights, strict=True):
                mean.lerp_(weights, 1 / self._moments)

    def take(self) -> None:
        """Let the model have the mean; without any moment it stays as it is."""
        for weights, mean in zip(self._weights, self._means, strict=False):
            weights.copy_(mean)
