"""What became of one list: where in it, and among its candidates, is the item that was taken?"""

from math import log
from typing import NamedTuple

import numpy as np

from streams.replay import Answer

_LEAST = 1e-12  # a share below counts as this much, as in the scorer's loss


class Outcome(NamedTuple):
    """A list and what its user took.

    Attributes:
        answer: The list.
        position: Of the item in the list, from 1; 0 = it is not shown.
        place: Of the item among the candidates, from 0; -1 = it is none.
    """

    answer: Answer
    position: int
    place: int

    @property
    def loss(self) -> float | None:
        """The scorer's loss in nats; None where the item is no candidate."""
        return None if self.place < 0 else -log(max(float(self.answer.shares[self.place]), _LEAST))


def outcome(answer: Answer, slot: int) -> Outcome:
    """Look an item up in a list.

    Args:
        answer: The list.
        slot: Of the item that was taken; -1 where the index does not know it.
    """
    shown = answer.ranking.slots.tolist()
    places = np.flatnonzero(answer.slots == slot) if slot >= 0 else answer.slots[:0]
    return Outcome(
        answer,
        position=shown.index(slot) + 1 if slot in shown else 0,
        place=int(places[0]) if len(places) else -1,
    )
