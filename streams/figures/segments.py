"""For whom, and of what, lists are good: the same metrics for parts of the predictions."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from features.decay import DAY_MS
from features.events import Click, Event, Search
from features.item import NEVER, ItemRow
from features.profile import Profile
from streams.figures.rates import rates
from streams.figures.result import Segment


class Before(NamedTuple):
    """What was known when a list was made, before its outcome was learnt.

    Attributes:
        touches: Of the user; as far back as the row remembers, so 50 at most.
        item_touches: Of the item that was then taken, by anybody.
        item_age_ms: Time since it was first touched, `NEVER` where it had not been.
        searched: Whether the list answers a search, or the item was found by one.
    """

    touches: int
    item_touches: int
    item_age_ms: int
    searched: bool


def before(event: Event, row: Profile, taken: ItemRow | None) -> Before:
    """Note what is known before an event is learnt.

    Args:
        event: What the list is made for.
        row: Of its user.
        taken: Row of the item that is going to be taken; None where there is none yet.
    """
    touched = taken is not None and taken.first_seen != NEVER
    return Before(
        touches=len(row.recent),
        item_touches=sum(taken.touches) if taken else 0,
        item_age_ms=max(event.ts - taken.first_seen, 0) if taken and touched else NEVER,
        searched=isinstance(event, Search)
        or (isinstance(event, Click) and event.search_id is not None),
    )


class _Group(NamedTuple):
    value: Callable[[Before], int]
    edges: Sequence[int]  # least value of each segment but the first
    names: Sequence[str]  # of the segments


GROUPS: Mapping[str, _Group] = {
    "touches of the user before": _Group(
        lambda known: known.touches, (1, 2, 5, 10), ("0, a new user", "1", "2-4", "5-9", "10+")
    ),
    "touches of the item before": _Group(
        lambda known: known.item_touches, (1, 10, 100), ("0, a new item", "1-9", "10-99", "100+")
    ),
    "age of the item": _Group(
        lambda known: known.item_age_ms,
        (0, DAY_MS, 7 * DAY_MS, 30 * DAY_MS),
        ("never touched", "under 1 day", "1-7 days", "7-30 days", "30+ days"),
    ),
    "how it was found": _Group(
        lambda known: int(known.searched), (1,), ("without a search", "by a search")
    ),
}
"""Every prediction is in one segment of each group."""


class Segments:
    """Counts positions by segment.

    Args:
        k: Length of the lists.
    """

    def __init__(self, k: int) -> None:
        self._k = k
        self._positions = {
            name: np.zeros((len(group.names), k + 1), np.int64) for name, group in GROUPS.items()
        }

    def add(self, known: Before, position: int) -> None:
        """Take a list whose item was taken at a position, 0 = it did not show it."""
        for name, group in GROUPS.items():
            place = bisect_right(group.edges, group.value(known))
            self._positions[name][place, position] += 1

    def result(self) -> tuple[Segment, ...]:
        """Return the segments that have a prediction."""
        return tuple(
            Segment(
                group=name,
                name=GROUPS[name].names[place],
                predictions=int(positions.sum()),
                rates=rates(positions, self._k),
            )
            for name, counts in self._positions.items()
            for place, positions in enumerate(counts)
            if positions.any()
        )
