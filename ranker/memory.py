"""Lists that were learnt from lately, to learn from once more.

Source: experience replay, Lin, Machine Learning 8 (1992).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LISTS = 1000
"""Lists that are kept; some 35 KiB each."""

_Floats = NDArray[np.float32]


class Lesson(NamedTuple):
    """B lists whose outcome is known.

    Attributes:
        X: (B, C, F) features.
        mask: (B, C) where there is a candidate.
        gated: (B, 4) from `ranker.linear.gates`.
        target: (B,) position of what the user took, which is a candidate.
    """

    X: _Floats
    mask: NDArray[np.bool_]
    gated: _Floats
    target: NDArray[np.int64]


class _Kept(NamedTuple):
    X: NDArray[np.float16]  # (C, F) candidates alone
    gated: _Floats
    target: int  # among these


class Memory:
    """Keeps a sample of the lists of late: each new one takes the place of any of the others.

    Args:
        seed: of which is forgotten, and which is remembered.
    """

    def __init__(self, seed: int = 0) -> None:
        self._kept: list[_Kept] = []
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        """Count the lists."""
        return len(self._kept)

    def keep(self, lesson: Lesson) -> None:
        """Keep these lists."""
        places = lesson.mask.cumsum(axis=1)[np.arange(len(lesson.target)), lesson.target] - 1
        lists = zip(_halved(lesson.X), lesson.mask, lesson.gated, places.tolist(), strict=True)
        for X, mask, gated, place in lists:
            one = _Kept(X[mask], gated.copy(), place)
            if len(self._kept) < LISTS:
                self._kept.append(one)
            else:
                self._kept[self._rng.integers(LISTS)] = one

    def draw(self, count: int) -> Lesson:
        """Return so many of the lists, which must be there; none twice."""
        chosen = self._rng.choice(len(self._kept), count, replace=False)
        lists = [self._kept[place] for place in chosen.tolist()]
        lengths = np.array([len(one.X) for one in lists])
        mask = np.arange(lengths.max()) < lengths[:, None]
        X = np.zeros((*mask.shape, lists[0].X.shape[1]), np.float32)
        for b, one in enumerate(lists):
            _widen(one.X, X[b, : len(one.X)])
        gated = np.stack([one.gated for one in lists])
        return Lesson(X, mask, gated, np.array([one.target for one in lists], np.int64))


def _halved(numbers: _Floats) -> NDArray[np.float16]:
    """Return numbers in 16 bits each."""
    import torch  # converts many at once, numpy one by one: a tenth of the time

    halves: NDArray[np.float16] = torch.from_numpy(numbers).half().numpy()
    return halves


def _widen(halves: NDArray[np.float16], numbers: _Floats) -> None:
    """Write the same numbers in 32 bits each."""
    import torch

    torch.from_numpy(numbers).copy_(torch.from_numpy(halves))
