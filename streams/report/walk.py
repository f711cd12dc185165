"""Events and lists in the order in which the broker got them -> tallies of periods.

Partition by partition: a user's events and lists lie in one of them. Each event is held against
what its user had been shown before, and only then changes anything: nothing looks ahead.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from features.events import Click, Event, Purchase, Search
from streams.lists import SURFACES, Recommendation
from streams.quality.sketches import Recent, Sample
from streams.report.facts import Facts
from streams.report.screen import WITHIN_MS, Screen, Shown
from streams.report.tally import Known, Tally

USERS = 100_000
"""Users of a partition whose lists are followed; of more, a uniform sample."""
IDS = 65_536
"""Event ids of a partition, the newest, among which one that comes again is known."""


class Gap(NamedTuple):
    """Lists that are not there any more, between two times: Kafka deleted or compacted them.

    Attributes:
        until: The time of the first list that is there again.
        missing: How many are known to be missing.
    """

    until: int
    missing: int


class Forgotten(NamedTuple):
    """The lists of a user are taken back."""

    user_id: str


What: TypeAlias = Event | Recommendation | Gap | Forgotten
Entry: TypeAlias = tuple[int, What]
"""A time in ms, by the broker's clock, and what it brought. A gap comes at the time of the last
list before it."""


class Walk:
    """Reads the log of one partition after another.

    Args:
        tallies: Of periods that do not overlap.
        facts: What is known of items.
        domains: Names of the domains, the default one first.

    Attributes:
        followed: One of so many users was followed, where there were most.
    """

    def __init__(self, tallies: Sequence[Tally], facts: Facts, domains: tuple[str, ...]) -> None:
        self.followed = 1
        self._tallies = tallies
        self._facts = facts
        self._domains = domains

    def partition(self, entries: Iterable[Entry]) -> None:
        """Take all that one partition holds, in the order of time; of equal times, events first."""
        one = _Partition(self._tallies, self._facts, self._domains)
        for ts, what in entries:
            one.take(ts, what)
        self.followed = max(self.followed, one.users.scale)


class _Partition:
    def __init__(self, tallies: Sequence[Tally], facts: Facts, domains: tuple[str, ...]) -> None:
        self.users: Sample[Screen] = Sample(USERS)
        self._tallies = tallies
        self._facts = facts
        self._domains = domains
        self._ids: Recent[None] = Recent(IDS)
        self._lists: Recent[None] = Recent(IDS)
        self._gap_until = -WITHIN_MS

    def take(self, ts: int, what: What) -> None:
        tally = next((one for one in self._tallies if one.period.holds(ts)), None)
        if isinstance(what, Recommendation):
            self._show(ts, what, tally)
        elif isinstance(what, Gap):
            self._gap_until = max(self._gap_until, what.until)
            at = next((one for one in self._tallies if one.period.holds(what.until)), tally)
            if at is not None:
                at.missing += what.missing
        elif isinstance(what, Forgotten):
            key = self.users.key(what.user_id)
            if key is not None:
                self.users.kept.pop(key, None)
        elif not _seen(self._ids, f"{what.kind} {what.event_id}\n{what.user_id}"):
            self._do(ts, what, tally)

    def _show(self, ts: int, made: Recommendation, tally: Tally | None) -> None:
        if _seen(self._lists, f"{made.rec_id}\n{made.user_id}"):  # sent again after a crash
            return
        screen = self._screen(made.user_id)
        wait_ms = None
        if screen is not None:
            wait_ms = screen.show(made, ts, made.domain or self._domains[0])
        if tally is not None:
            tally.made(made, ts, wait_ms, whole=ts > self._gap_until)

    def _do(self, ts: int, event: Event, tally: Tally | None) -> None:
        screen = self._screen(event.user_id)
        if tally is not None:
            tally.event(event, ts)
        if screen is None:
            return
        if not isinstance(event, Search):
            self._judge(ts, event, screen, tally)
            screen.touches += 1
        screen.ask(event, ts)

    def _judge(self, ts: int, event: Click | Purchase, screen: Screen, tally: Tally | None) -> None:
        domain = self._facts.domain(event.item_id)
        lists = list(screen.lists(event, ts, domain))
        positions = [one.position(event.item_id) for one in lists]
        hit = any(positions)
        if tally is not None and ts >= self._gap_until + WITHIN_MS:
            for shown, position in zip(lists, positions, strict=True):
                known = self._known(event, screen, shown, domain)
                tally.held(shown, position, known, ts)
            bought = isinstance(event, Purchase) and screen.led(event.item_id, ts)
            tally.judge(event, ts, out_of_list=hit or bought)
        for shown in lists:
            shown.used = True
        if hit and isinstance(event, Click):
            screen.click(event.item_id, ts)

    def _known(self, event: Click | Purchase, screen: Screen, shown: Shown, domain: str) -> Known:
        return Known(
            touches=screen.touches,
            item_age_ms=self._facts.age_ms(event.item_id, event.ts),
            surface=SURFACES.index(shown.surface),
            domain=self._domains.index(domain),
            kind=event.kind,
        )

    def _screen(self, user_id: str) -> Screen | None:
        key = self.users.key(user_id)
        if key is None:
            return None
        screen = self.users.kept.get(key)
        if screen is None:
            screen = Screen()
            self.users.put(key, screen)
        return screen


def _seen(recent: Recent[None], key: str) -> bool:
    """Tell whether a key came lately, and remember it."""
    seen = recent.holds(key)
    recent.swap(key, None)
    return seen
