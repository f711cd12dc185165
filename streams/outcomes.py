"""What users took of the lists that they were shown: it teaches the scorer, some lists at a time.

The worker and the evaluation teach through this class alone. In a worker a list waits for what its
user does next; in an evaluation it is made for an event that is known.
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from features.events import Click, Event, Purchase, Search
from features.shown import Shown, answer_to, newer
from ranker.items import ItemIndex
from ranker.rank import Ranked
from ranker.scorer import STEP_LISTS, Scorer

AGE_MS = 1_800_000
"""Event time after which a list that nothing came of is forgotten: the pause that ends a visit."""
STEPS = {"for_you": STEP_LISTS, "search": 4}
"""Outcomes of one step of the scorer, by surface. Searches have weights of their own and are fewer:
they need the steps more than the steps need them to be smooth."""
KNOWN = 9 * STEP_LISTS
"""Outcomes of a surface that wait to be taught at most; what more a batch brings is left out, so
that its cost is bounded."""


class Settled(NamedTuple):
    """A list whose outcome is known."""

    surface: str  # "for_you" or "search"
    place: int  # of what the user took, from 1; 0 for something that the list did not show


class Lesson(NamedTuple):
    """What was taught: so many outcomes, and the sum of their losses (nats) before each step."""

    outcomes: int
    loss: float


class _Waiting(NamedTuple):
    shown: Shown
    domain: int
    ranked: Ranked  # one list


class Outcomes:
    """Lists that wait for their outcome, and outcomes that wait to be taught.

    A user's newest list waits for the user's next touch of an item of its domain; the answer to a
    search for a click that names the search. Each teaches once at most. While as many wait as may,
    no more are taken: those that wait are then a sample of all, whatever the pace of events, and
    not only the lists of the quickest users.

    Args:
        limit: Lists that may wait; some 50 KiB each.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: dict[tuple[str, str], _Waiting] = {}  # by user and search; oldest first
        # By surface: one list each, and the slot that was taken.
        self._known: dict[str, list[tuple[Ranked, int]]] = {surface: [] for surface in STEPS}
        self._newest_ts = 0

    def __len__(self) -> int:
        """Count the lists that wait."""
        return len(self._waiting)

    def show(self, event: Event, domain: int, ranked: Ranked, position: int) -> None:
        """Let a list wait for its outcome.

        Args:
            event: What it answers.
            domain: The number of its domain.
            ranked: The lists that were made together.
            position: Of this one.
        """
        self._age(event.ts)
        key = (event.user_id, event.event_id if isinstance(event, Search) else "")
        before = self._waiting.get(key)
        if before is not None:
            if newer(before.shown, event) == before.shown:
                return
            del self._waiting[key]
        if len(self._waiting) < self._limit:
            shown = answer_to(event)
            self._waiting[key] = _Waiting(shown, domain, ranked.only(position))

    def see(self, event: Event, index: ItemIndex) -> list[Settled]:
        """Settle the lists that an event is the outcome of; return what came of each.

        Args:
            event: One that counts; it comes before the lists that answer it are shown.
            index: All items.
        """
        self._age(event.ts)
        if isinstance(event, Search):
            return []
        searched = event.search_id if isinstance(event, Click) else None
        keys = [(event.user_id, ""), *([(event.user_id, searched)] if searched else [])]
        settled = []
        for key in keys:
            one = self._waiting.get(key)
            if one is not None and _is_outcome(event, one, index):
                del self._waiting[key]
                slot = int(index.slots([event.item_id])[0])
                if self._teaches(one.shown.surface, one.ranked, 0, slot):
                    self._known[one.shown.surface].append((one.ranked, slot))
                shown = one.ranked.rankings[0].slots.tolist()
                place = shown.index(slot) + 1 if slot in shown else 0
                settled.append(Settled(one.shown.surface, place))
        return settled

    def took(self, surface: str, ranked: Ranked, position: int, slot: int) -> None:
        """Note what was taken of a list.

        Args:
            surface: Where it was shown, see `Shown`.
            ranked: The lists that were made together.
            position: Of this one.
            slot: Of the item; -1 for one that is not known.
        """
        if self._teaches(surface, ranked, position, slot):
            self._known[surface].append((ranked.only(position), slot))

    def learn(self, scorer: Scorer, index: ItemIndex) -> Lesson:
        """Teach what is known by now, in whole steps of the scorer; the rest waits for more."""
        total, loss = 0, 0.0
        for surface, step in STEPS.items():
            known = self._known[surface]
            count = len(known) // step * step
            for begin in range(0, count, step):
                lists = known[begin : begin + step]
                taken = np.array([slot for _, slot in lists], np.int32)
                together = Ranked.together([one for one, _ in lists])
                loss += together.learn(scorer, taken, index) * step
            del known[:count]
            total += count
        return Lesson(total, loss)

    def forget(self, user_ids: Collection[str]) -> None:
        """Forget the lists that users were shown."""
        for key in [key for key in self._waiting if key[0] in user_ids]:
            del self._waiting[key]

    def clear(self) -> None:
        """Forget all: what another model saw is not what a new one is to be taught by."""
        self._waiting.clear()
        for known in self._known.values():
            known.clear()

    def _teaches(self, surface: str, ranked: Ranked, position: int, slot: int) -> bool:
        """Tell whether there is room for an outcome, and the item was a candidate."""
        room = len(self._known[surface]) < KNOWN
        return room and slot >= 0 and bool((ranked.slots[position] == slot).any())

    def _age(self, ts: int) -> None:
        self._newest_ts = max(self._newest_ts, ts)
        while self._waiting:
            key = next(iter(self._waiting))
            if self._newest_ts - self._waiting[key].shown.ts <= AGE_MS:
                return
            del self._waiting[key]


def _is_outcome(event: Click | Purchase, one: _Waiting, index: ItemIndex) -> bool:
    """Tell whether an event came after a list was shown, and is about what the list is of.

    Where a batch is read twice because a rebalance cut it off, lists that answer its events wait
    already when these come again.
    """
    answered = answer_to(event).rec_id == one.shown.rec_id
    domain = index.domain_named(index.domain_of(event.item_id))
    return event.ts >= one.shown.ts and not answered and domain == one.domain
