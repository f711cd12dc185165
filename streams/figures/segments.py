"""For whom, and of what, lists are good: the same metrics for parts of the predictions."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from features.decay import DAY_MS
from features.events import Click, Event, Search
from features.item import NEVER, ItemRow
from features.profile import Profile
from features.session import SESSION_GAP_MS
from streams.figures.rates import rates
from streams.figures.result import Segment

Known = TypeVar("Known")


class Before(NamedTuple):
    """What was known when a list was made, before its outcome was learnt.

    Attributes:
        touches: Of the user; as far back as the row remembers, so 50 at most.
        pause_ms: Since the last of these, `NEVER` where there is none.
        item_touches: Of the item that was then taken, by anybody.
        item_age_ms: Time since it was first touched, `NEVER` where it had not been.
        searched: Whether the list answers a search, or the item was found by one.
    """

    touches: int
    pause_ms: int
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
        pause_ms=max(event.ts - row.recent.newest_ts, 0) if row.recent else NEVER,
        item_touches=sum(taken.touches) if taken else 0,
        item_age_ms=max(event.ts - taken.first_seen, 0) if taken and touched else NEVER,
        searched=isinstance(event, Search)
        or (isinstance(event, Click) and event.search_id is not None),
    )


class Group(NamedTuple, Generic[Known]):
    """How predictions are parted by what is known of each.

    Attributes:
        value: What counts.
        edges: Least value of each segment but the first, ascending.
        names: Of the segments.
    """

    value: Callable[[Known], int]
    edges: Sequence[int]
    names: Sequence[str]


PAUSES = (0, SESSION_GAP_MS + 1, DAY_MS, 7 * DAY_MS)
PAUSE_NAMES = ("no touch before", "in a visit", "under 1 day", "1-7 days", "7+ days")
AGES = (0, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
AGE_NAMES = ("never touched", "under 1 day", "1-7 days", "7-30 days", "30+ days")
TOUCHES = (1, 2, 5, 10)
TOUCH_NAMES = ("0, a new user", "1", "2-4", "5-9", "10+")
GROUPS: Mapping[str, Group[Before]] = {
    "touches of the user before": Group(lambda known: known.touches, TOUCHES, TOUCH_NAMES),
    "pause of the user before": Group(lambda known: known.pause_ms, PAUSES, PAUSE_NAMES),
    "touches of the item before": Group(
        lambda known: known.item_touches, (1, 10, 100), ("0, a new item", "1-9", "10-99", "100+")
    ),
    "age of the item": Group(lambda known: known.item_age_ms, AGES, AGE_NAMES),
    "how it was found": Group(
        lambda known: int(known.searched), (1,), ("without a search", "by a search")
    ),
}
"""Every prediction is in one segment of each group."""


class Segments(Generic[Known]):
    """Counts positions by segment.

    Args:
        k: Length of the lists.
        groups: Every prediction is in one segment of each.
    """

    def __init__(self, k: int, groups: Mapping[str, Group[Known]]) -> None:
        self._k = k
        self._groups = groups
        self._positions = {
            name: np.zeros((len(group.names), k + 1), np.int64) for name, group in groups.items()
        }

    def add(self, known: Known, position: int) -> None:
        """Take a list whose item was taken at a position, 0 = it did not show it."""
        for name, group in self._groups.items():
            place = bisect_right(group.edges, group.value(known))
            self._positions[name][place, position] += 1

    def result(self) -> tuple[Segment, ...]:
        """Return the segments that have a prediction."""
        return tuple(
            Segment(
                group=name,
                name=self._groups[name].names[place],
                predictions=int(positions.sum()),
                rates=rates(positions, self._k),
            )
            for name, counts in self._positions.items()
            for place, positions in enumerate(counts)
            if positions.any()
        )
