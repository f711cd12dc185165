"""The ranker: linear weights, and a network beside them once it has shown that it helps."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranker.linear import BadRankerState, LinearRanker, softmax
from ranker.memory import Lesson, Memory
from ranker.network import Network

STEP_LISTS = 16
"""Lists of one optimiser step: small sets need steps, not epochs."""
PATIENCE = 100
"""Steps, without those from memory, before the network may be heeded."""
_LOSS_STEP = 0.002  # of the running losses: a mean over the last 8,000 lists or so

_Floats = NDArray[np.float32]


class Scorer:
    """Logits of candidates, learnt online from what users took.

    Capacity follows the data: both learn from every list, the network what the linear weights leave
    over, and it is heeded as long as it would lately have predicted better than they alone, each
    list judged before it was learnt. Every list is learnt twice, or so: when it comes, and once
    more from memory. The memory is not part of the state.

    Shapes: B lists, C candidates, F features. The loss is softmax cross-entropy over candidates.

    Args:
        names: the features, in the order of the feature arrays.

    Attributes:
        losses: running, in nats: of the linear weights alone, of both.
        steps: taken so far, without those from memory.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.linear = LinearRanker(names)
        self.network = Network(len(self.names))
        self.losses = np.zeros(2, np.float32)
        self.steps = 0
        self._memory = Memory()
        self._due = 0  # lists to be learnt from memory

    @property
    def prevails(self) -> bool:
        """Whether what was learnt ranks: always, here."""
        return True

    @property
    def heeds_network(self) -> bool:
        """Whether the network counts."""
        return self.steps >= PATIENCE and bool(self.losses[1] < self.losses[0])

    def score(self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats) -> _Floats:
        """Return each candidate's logit, (B, C), -inf where there is none.

        Args:
            X: (B, C, F) features.
            mask: (B, C) where there is a candidate.
            gated: (B, 4) from `ranker.linear.gates`.
        """
        logits = self.linear.score(X, mask, gated)
        return logits + self.network.score(X, gated) if self.heeds_network else logits

    def learn(
        self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats, target: NDArray[np.int64]
    ) -> float:
        """Learn which candidate each user took; return the mean loss in nats before each step.

        Args:
            X: (B, C, F) features.
            mask: (B, C) where there is a candidate.
            gated: (B, 4) from `ranker.linear.gates`.
            target: (B,) position of what the user took, -1 = not among the candidates: skipped.

        Returns:
            0.0 when there was nothing to learn from.
        """
        known = target >= 0
        if not known.all():
            X, mask, gated, target = X[known], mask[known], gated[known], target[known]
        total = 0.0
        for begin in range(0, len(target), STEP_LISTS):
            part = slice(begin, begin + STEP_LISTS)
            lesson = Lesson(X[part], mask[part], gated[part], target[part])
            total += len(lesson.target) * self._step(lesson)
            self._remember(lesson)
        return total / max(1, len(target))

    def _step(self, lesson: Lesson) -> float:
        """Judge what ranks by lists, then learn from them; return the mean loss in nats."""
        X, mask, gated, target = lesson
        heeded = int(self.heeds_network)
        ranking = self.linear.score(X, mask, gated)
        alone = loss_of(ranking, target)
        together = loss_of(ranking + self.network.score(X, gated), target)
        losses = np.array([alone, together], np.float32)
        self._improve(lesson)
        self.steps += 1
        self.losses += np.float32(max(_LOSS_STEP, 1 / self.steps)) * (losses - self.losses)
        return float(losses[heeded])

    def _remember(self, lesson: Lesson) -> None:
        """Keep lists, and learn from as many others that are kept, a whole step at a time."""
        self._memory.keep(lesson)
        self._due += len(lesson.target)
        while self._due >= STEP_LISTS <= len(self._memory):
            self._due -= STEP_LISTS
            self._improve(self._memory.draw(STEP_LISTS))

    def _improve(self, lesson: Lesson) -> None:
        X, mask, gated, target = lesson
        learning = self.linear.score_learning(X, mask, gated)
        self.network.learn(X, gated, lambda said: slope_of(learning + said, target))
        self.linear.step(X, gated, slope_of(learning, target))

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Return all that learning has changed, by name."""
        return {name: array.copy() for name, array in self._arrays().items()} | {
            "steps": np.array(
                [self.linear.adam.steps, self.network.adam.steps, self.steps], np.int64
            )
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a saved state.

        Raises:
            BadRankerState: its weights are of other features, or not finite.
            KeyError: some are missing.
        """
        arrays = self._arrays()
        for name, array in arrays.items():
            shape = np.shape(state[name])
            if shape != array.shape:
                raise BadRankerState(f"{name} of shape {shape}, expected {array.shape}")
            if not np.isfinite(state[name]).all():
                raise BadRankerState(f"{name} holds values that are not finite")
        for name, array in arrays.items():
            array[:] = state[name]
        steps = [int(count) for count in state["steps"]]
        self.linear.adam.steps, self.network.adam.steps, self.steps = steps

    def _arrays(self) -> dict[str, _Floats]:
        return {
            **{f"linear.{name}": array for name, array in self.linear.adam.arrays.items()},
            **{f"network.{name}": array for name, array in self.network.adam.arrays.items()},
            "network.inputs": self.network.square,
            "losses": self.losses,
        }


def loss_of(logits: _Floats, target: NDArray[np.int64]) -> np.float32:
    """Return the mean loss in nats of logits, (B, C), whose right ones are `target`, (B,)."""
    shares = softmax(logits)[np.arange(len(target)), target]
    loss: np.float32 = -np.log(np.maximum(shares, np.float32(1e-12))).mean()
    return loss


def slope_of(logits: _Floats, target: NDArray[np.int64]) -> _Floats:
    """Return the slope of that loss by each logit, (B, C), 0 where there is no candidate."""
    slope = softmax(logits)
    slope[np.arange(len(target)), target] -= 1
    return slope / np.float32(len(target))
