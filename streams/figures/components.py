"""How good each generator would be alone: the same candidates, ranked by one raw score."""

import numpy as np
from numpy.typing import NDArray

from ranker.scores import SCORES
from streams.figures.outcome import Outcome
from streams.figures.rates import DIGITS, rates
from streams.figures.result import Component

KNOWN = "_known"
"""Ends the name of a score that says where another, of any sign, says something."""
DESCENT = frozenset({"own_position", "own_age_h"})
"""Scores of the user's own items that are better the lower they are."""


def _alone() -> tuple[str, ...]:
    return tuple(
        name for name in SCORES if not name.startswith("rank_") and not name.endswith(KNOWN)
    )


ALONE = _alone()
"""Scores that are components; ranks say the same as what they rank."""
_COLUMNS = np.array([SCORES.index(name) for name in ALONE])
_GUARDS = np.array(
    [
        SCORES.index("own_position")
        if name in DESCENT
        else SCORES.index(name + KNOWN if name + KNOWN in SCORES else name)
        for name in ALONE
    ]
)
_SIGNS = np.array([[-1.0 if name in DESCENT else 1.0] for name in ALONE], np.float32)


def positions(scores: NDArray[np.float32], place: int) -> NDArray[np.int64]:
    """Return the position of one candidate by each component alone.

    A component ranks the candidates of which it says something: where its score is above 0, or
    known. Equal scores share the mean of their positions, rounded up.

    Args:
        scores: (C, G) of candidates, 0 where padded.
        place: Of the candidate.

    Returns:
        (len(ALONE),), from 1; 0 = the component says nothing of it.
    """
    by_score = np.ascontiguousarray(scores.T)  # (G, C)
    said = by_score[_GUARDS] > 0
    values = np.where(said, _SIGNS * by_score[_COLUMNS], np.float32(-np.inf))
    own = values[:, place, None]
    above, equal = (values > own).sum(axis=1), (values == own).sum(axis=1) - 1
    return np.where(said[:, place], 1 + above + (equal + 1) // 2, 0)


class Components:
    """Counts positions by component.

    Args:
        k: Length of the lists.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._found = np.zeros(len(ALONE), np.int64)
        self._positions = np.zeros((len(ALONE), k + 1), np.int64)

    def add(self, found: Outcome) -> None:
        """Take a list."""
        placed = np.zeros(len(ALONE), np.int64)
        if found.place >= 0:
            placed = positions(found.answer.scores, found.place)
        self._found += placed > 0
        self._positions[np.arange(len(ALONE)), np.where(placed > self._k, 0, placed)] += 1

    def result(self) -> tuple[Component, ...]:
        """Return the components, that of the highest hit rate first."""
        made = [
            Component(
                name=name,
                found=round(float(found / max(1, counts.sum())), DIGITS),
                rates=rates(counts, self._k),
            )
            for name, found, counts in zip(ALONE, self._found, self._positions, strict=True)
        ]
        return tuple(sorted(made, key=lambda one: (-one.rates.hr, -one.rates.mrr)))
