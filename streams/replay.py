"""A whole Headrace in memory: rows, index and model, fed from files through the worker's own steps.

`headrace evaluate` and `headrace train` stand on it. Events go in as micro-batches, as they do in a
worker: a user's row is exact at every event, the item index is as old as the batch. Every event of
a file counts, ids sent twice apart: files are cleaned, their times may be coarse (decision 0013).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.decay import DAY_MS
from features.domains import ONE_SHOP, Domains
from features.events import Event, Item, Search
from features.fading import HALF_LIFE_DAYS
from features.item import ItemRow, catalogued, new_item
from features.levels import CategoryLevels
from features.profile import Profile
from features.signals import Signals
from ranker.factors import FACTORS
from ranker.items import ItemIndex
from ranker.model import Model
from ranker.rank import Ranked, Ranking
from ranker.request import Request
from streams import steps
from streams.batches import batched
from streams.broadcast import show_items
from streams.data import BadData
from streams.item_states import half_lives_of, read_entries
from streams.outcomes import Outcomes
from streams.packed_users import PackedUsers

BATCH = 128
"""Events of a micro-batch: what a poll brings a busy worker."""
SOURCE = 0
"""A file is one partition, so one source."""
OPEN_SEARCHES = 1000
"""Searches whose click may still come and teach."""

Wanted: TypeAlias = Callable[[int, Event, Profile], bool]
"""Whether to rank before an event: its number in the log from 1, the event, its user's row."""


@dataclass(slots=True, frozen=True)
class Answer:
    """A list that was made before its event was learnt.

    Attributes:
        number: Of the event in the log, from 1.
        event: What the user did next, or the search that was asked.
        ranking: The list, best first.
        slots: (C,) The candidates that it was chosen from, padded with -1.
        scores: (C, G) What the generators say of them, as in `ranker.candidates`.
        shares: (C,) What the model says of them; they sum to 1.
        seconds: The list's part of what ranking its micro-batch took.
    """

    number: int
    event: Event
    ranking: Ranking
    slots: NDArray[np.int32]
    scores: NDArray[np.float32]
    shares: NDArray[np.float32]
    seconds: float


class Replay:
    """Learns events from files, and ranks before it learns them.

    Args:
        model: What ranks; its scorer learns from every list whose outcome is seen.
        k: Length of the lists.
        neighbours: Neighbours kept per item.
        half_life_ms: After so long, neighbours and queries weigh half; 0: they never fade.
        hide_owned: No list shows what its user has touched, however long ago.
        domains: Those that events and items may name; others are refused.
        diversity: How much the items of a list shall differ, searches apart, 0..1.
    """

    def __init__(
        self,
        model: Model,
        k: int,
        neighbours: int = 100,
        half_life_ms: int = HALF_LIFE_DAYS * DAY_MS,
        *,
        hide_owned: bool = False,
        domains: Domains = ONE_SHOP,
        diversity: float = 0.0,
    ) -> None:
        self.model = model
        self.users = PackedUsers()
        self.items: dict[str, ItemRow] = {}
        self.index = ItemIndex(
            neighbours, half_life_ms=half_life_ms, domains=half_lives_of(domains)
        )
        self.levels = CategoryLevels(default=domains.default.name)
        self._k = k
        self._neighbours = neighbours
        self._half_life_ms = half_life_ms
        self._domains = domains
        self._diversity = diversity
        self._read = 0
        self._outcomes = Outcomes(OPEN_SEARCHES)
        self._owned: defaultdict[str, set[str]] | None = defaultdict(set) if hide_owned else None

    def catalogue(self, entries: Iterable[Item]) -> None:
        """Learn a catalogue, as the items agent does from its topic.

        Raises:
            BadData: an item is of a domain that there is not.
        """
        for offset, entry in enumerate(entries):
            self._check_domain(f"item {entry.item_id!r}", entry.domain)
            row = self.items.get(entry.item_id) or new_item()
            self._store({entry.item_id: catalogued(row, entry, offset)})

    def learn(self, events: Iterable[Event], wanted: Wanted) -> Iterator[Answer]:
        """Rank for the events that are wanted, then learn every event; a micro-batch at a time.

        Raises:
            BadData: an event names a domain that there is not.
        """
        for batch in batched(events, BATCH):
            outcome, asked, ranked, seconds = self._ask(batch, wanted, counted=True)
            self._teach(batch, asked, ranked)
            self.users.update(outcome.rows)
            messages = (
                (item_id, Signals(SOURCE, tuple(entries)))
                for item_id, entries in outcome.signals.items()
            )
            changed = steps.learn_items(
                self.items,
                messages,
                neighbours=self._neighbours,
                factors=FACTORS,
                seed=(SOURCE, self._read),
                half_life_ms=self._half_life_ms,
                domains=self._domains,
            )
            self._store(changed)
            yield from _answers(asked, ranked, seconds)

    def test(self, events: Iterable[Event], wanted: Wanted) -> Iterator[Answer]:
        """Rank with all shared state frozen: only the users' own rows follow the events."""
        for batch in batched(events, BATCH):
            outcome, asked, ranked, seconds = self._ask(batch, wanted, counted=False)
            self.users.update(outcome.rows)
            yield from _answers(asked, ranked, seconds)

    def _ask(
        self, batch: Sequence[Event], wanted: Wanted, *, counted: bool
    ) -> tuple[steps.UserOutcome, list[tuple[int, Event, Request]], Ranked, float]:
        """Fold a batch into user rows and rank before each event that is wanted.

        The last of what is returned is how many seconds the ranking took.
        """
        asked: list[tuple[int, Event, Request]] = []
        for event in batch:
            self._check_domain(f"event {event.event_id!r}", event.domain)
        first = self._read + 1
        self._read += len(batch)

        def before(row: Profile, position: int, uncounted: int) -> None:
            event = batch[position]
            if wanted(first + position, event, row):
                uncounted = uncounted if counted else len(row.recent)
                hidden = self._owned[event.user_id] if self._owned is not None else ()
                request = steps.request(
                    row,
                    event,
                    self.index,
                    self._k,
                    uncounted,
                    hidden=hidden,
                    diversity=self._diversity,
                )
                asked.append((first + position, event, request))
            if self._owned is not None and not isinstance(event, Search):
                self._owned[event.user_id].add(event.item_id)

        offsets = range(first, first + len(batch))
        outcome = steps.learn_users(
            self.users,
            batch,
            SOURCE,
            offsets,
            self.index,
            before=before,
            domains=self._domains,
        )
        requests = [request for _, _, request in asked]
        started = time.perf_counter()
        ranked = steps.rank(requests, self.index, self.model, explained=False)
        return outcome, asked, ranked, time.perf_counter() - started

    def _teach(
        self, batch: Sequence[Event], asked: Sequence[tuple[int, Event, Request]], ranked: Ranked
    ) -> None:
        """Teach the scorer what was taken: the event's item, or the click of a search."""
        for position, (_, event, request) in enumerate(asked):
            if isinstance(event, Search):
                self._outcomes.show(event, request.domain, ranked, position)
            else:
                (slot,) = self.index.slots([event.item_id]).tolist()
                self._outcomes.took("for_you", ranked, position, slot)
        for event in batch:
            self._outcomes.see(event, self.index)
        self._outcomes.learn(self.model.scorer, self.index)

    def _check_domain(self, whose: str, name: str | None) -> None:
        if name is not None and name not in self._domains.names:
            known = ", ".join(self._domains.names)
            raise BadData(f"{whose} is of domain {name!r}, not of {known}: set HEADRACE_DOMAINS")

    def _store(self, changed: dict[str, ItemRow]) -> None:
        changed |= read_entries(changed, self.model)
        self.items |= changed
        show_items(self.index, self.levels, list(changed.items()))


def _answers(
    asked: Sequence[tuple[int, Event, Request]], ranked: Ranked, seconds: float
) -> Iterator[Answer]:
    for position, (number, event, _) in enumerate(asked):
        yield Answer(
            number,
            event,
            ranked.rankings[position],
            ranked.slots[position],
            ranked.scores[position],
            ranked.shares[position],
            seconds / len(asked),
        )
