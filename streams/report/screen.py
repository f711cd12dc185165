"""What a user was shown, as far as it may still be what an event came out of.

A list counts as shown for `WITHIN_MS` after it was made, the pause that ends a visit and the time
for which workers wait for its outcome, too. So whether an event came out of a list is known
exactly as soon as all lists of that time are known: nothing older needs be there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from sys import intern
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from features.events import Click, Event, Kind
from features.session import SESSION_GAP_MS
from features.shown import Shown as Answer
from features.shown import answer_to
from streams.lists import Recommendation

WITHIN_MS = SESSION_GAP_MS
SEARCHES = 5
"""Of a user, whose results may still be clicked."""
ASKED = 16
"""Events of a user whose lists may still come."""
CLICKED = 20
"""Items of a user that were clicked out of lists and may still be bought."""

V = TypeVar("V")


@dataclass(slots=True)
class Shown:
    """A list that was made at a time, by the broker's clock."""

    ts: int
    rec_id: str
    surface: str
    items: tuple[str, ...]
    scores: NDArray[np.float32]
    used: bool = False  # some event was held against it

    def position(self, item_id: str) -> int:
        """Return the place of an item, from 1; 0 = it is not in the list."""
        return self.items.index(item_id) + 1 if item_id in self.items else 0


@dataclass(slots=True)
class Screen:
    """What one user was shown, and did; all of it bounded."""

    touches: int = 0  # since the log is read
    newest: dict[str, Shown] = field(default_factory=dict)  # for_you, by domain
    searches: dict[str, Shown] = field(default_factory=dict)  # by rec_id
    asked: dict[str, int] = field(default_factory=dict)  # rec_id of the answer -> time
    clicked: dict[str, int] = field(default_factory=dict)  # item -> time

    def ask(self, event: Event, ts: int) -> None:
        """Note an event that may be answered by a list."""
        _put(self.asked, answer_to(event).rec_id, ts, ASKED)

    def show(self, made: Recommendation, ts: int, domain: str) -> int | None:
        """Note a list; return how long after its event it came, None where that is not known."""
        shown = Shown(
            ts,
            made.rec_id,
            made.surface,
            tuple([intern(item.item_id) for item in made.items]),
            np.array([item.score for item in made.items], np.float32),
        )
        if made.surface == "search":
            _put(self.searches, made.rec_id, shown, SEARCHES)
        else:
            self.newest[domain] = shown
        asked = self.asked.pop(made.rec_id, None)
        return None if asked is None else ts - asked

    def lists(self, event: Event, ts: int, domain: str) -> Iterator[Shown]:
        """Yield what an event is held against: the newest list, and that of the search it names."""
        own = answer_to(event).rec_id
        found = [self.newest.get(domain)]
        if isinstance(event, Click) and event.search_id is not None:
            found.append(self.searches.get(Answer(Kind.SEARCH, event.search_id, event.ts).rec_id))
        for one in found:
            if one is not None and one.rec_id != own and ts - WITHIN_MS <= one.ts < ts:
                yield one

    def led(self, item_id: str, ts: int) -> bool:
        """Tell whether the item was clicked out of a list within the time."""
        return self.clicked.get(item_id, ts - WITHIN_MS - 1) >= ts - WITHIN_MS

    def click(self, item_id: str, ts: int) -> None:
        """Note that an item was clicked out of a list."""
        _put(self.clicked, intern(item_id), ts, CLICKED)


def _put(held: dict[str, V], key: str, value: V, bound: int) -> None:
    """Set a key's value, as the newest; forget the oldest of more than the bound."""
    held.pop(key, None)
    held[key] = value
    if len(held) > bound:
        del held[next(iter(held))]
