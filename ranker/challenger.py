"""A scorer that goes on learning beside the one that it began as: the better of late ranks."""

import numpy as np
from numpy.typing import NDArray

from ranker.memory import Lesson
from ranker.scorer import Scorer, loss_of

PACE = 0.01
"""Of the running losses: a mean over the last 100 steps or so."""

_Floats = NDArray[np.float32]


class Challenger(Scorer):
    """Ranks as its champion does until it has lately predicted better than that, and while it does.

    Both are judged by each step's lists before these are learnt, so neither has seen them. The
    champion never changes.

    Args:
        champion: What to begin as.

    Attributes:
        lately: running losses in nats: of the champion, of what was learnt since.
    """

    def __init__(self, champion: Scorer) -> None:
        super().__init__(champion.names)
        self.load_state_dict(champion.state_dict())
        self.lately = np.zeros(2, np.float32)
        self._champion = champion
        self._challenged = 0  # steps

    @property
    def prevails(self) -> bool:
        """Whether what was learnt ranks."""
        return bool(self.lately[1] < self.lately[0])

    def score(self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats) -> _Floats:
        """Return each candidate's logit; as `Scorer.score`."""
        if self.prevails:
            return super().score(X, mask, gated)
        return self._champion.score(X, mask, gated)

    def _step(self, lesson: Lesson) -> float:
        ranking = int(self.prevails)
        alone = loss_of(self._champion.score(*lesson[:3]), lesson.target)
        losses = np.array([alone, super()._step(lesson)], np.float32)
        self._challenged += 1
        self.lately += np.float32(max(PACE, 1 / self._challenged)) * (losses - self.lately)
        return float(losses[ranking])
