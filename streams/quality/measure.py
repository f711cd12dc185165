"""One pass over events and items: what is missing, doubled, late, odd, and how values spread."""

from collections import Counter
from dataclasses import dataclass

from msgspec.structs import fields

from features.events import Click, Event, Item, Purchase, Search
from features.guard import REPEAT_MS, twins
from features.session import SESSION_GAP_MS
from features.text import tidy
from streams.quality.bins import COUNTS, DURATIONS, HOURS, PRICES
from streams.quality.result import Burst, Cardinality, Invalid, Missing, Quality
from streams.quality.sketches import Distribution, Recent, Sample, Top

USERS = 200_000
"""Users followed one by one; of more, a uniform sample of between half as many and so many."""
IDS = 500_000
"""Event ids, and distinct items, queries and categories, kept likewise."""
RECENT = 65_536
"""Actions and users of the last events, among which quick repeats and bursts are found."""
BURSTS = 10
"""Users told of those with the most events in one minute."""
PROBLEMS = 3
"""Lines quoted for each reason."""
_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000
_KINDS: dict[str, type[Event | Item]] = {
    "click": Click,
    "search": Search,
    "purchase": Purchase,
    "item": Item,
}
_OPTIONAL = {
    name: tuple(field.name for field in fields(kind) if field.default is None)
    for name, kind in _KINDS.items()
}


@dataclass(slots=True)
class _User:
    """What is followed of one user."""

    events: int
    newest_ts: int
    session: int  # events of the visit that goes on


class Measure:
    """Takes events and items in the order in which they were logged."""

    def __init__(self) -> None:
        self._events: Counter[str] = Counter()
        self._missing: Counter[tuple[str, str]] = Counter()
        self._invalid: dict[str, tuple[int, list[str]]] = {}
        self._first: int | None = None
        self._last: int | None = None
        self._newest: dict[str, int] = {}
        self._ids: Sample[None] = Sample(IDS)
        self._repeated_ids = 0
        self._actions: Recent[int] = Recent(RECENT)
        self._repeated_actions = 0
        self._minutes: Recent[tuple[int, int]] = Recent(RECENT)
        self._bursts: Top[int] = Top(BURSTS)
        self._users: Sample[_User] = Sample(USERS)
        self._distinct: dict[str, Sample[None]] = {
            name: Sample(IDS) for name in ("items", "catalogue", "queries", "categories", "brands")
        }
        self._prices = Distribution("price", "Price in events", "currency", *PRICES)
        self._listed = Distribution("list_price", "Price in the catalogue", "currency", *PRICES)
        self._gaps = Distribution("gap", "Time between a user's events", "seconds", *DURATIONS)
        self._sessions = Distribution("session", "Events of a visit", "events", *COUNTS)
        self._hours = Distribution("hour", "Hour of the day, UTC", "hour", *HOURS)
        self._behind_log = Distribution("behind_log", "Behind the log", "seconds", *DURATIONS)
        self._behind_user = Distribution("behind_user", "Behind the user", "seconds", *DURATIONS)

    def event(self, event: Event, place: str) -> None:
        """Take an event.

        Args:
            event: A clean one.
            place: The file or partition that it was read from: a log with an order of its own.
        """
        kind = event.kind.name.lower()
        self._take(kind, event)
        ts = event.ts
        self._first = ts if self._first is None else min(self._first, ts)
        self._last = ts if self._last is None else max(self._last, ts)
        newest = self._newest.get(place, ts)
        if ts < newest:
            self._behind_log.add((newest - ts) / 1000)
        self._newest[place] = max(newest, ts)
        self._hours.add(ts // _HOUR_MS % 24)
        if not self._known(kind, event):
            self._repeat(event)
        self._burst(event)
        self._follow(event)
        if isinstance(event, Search):
            if event.query:  # else it only asks for an order of given items
                self._see("queries", tidy(event.query, len(event.query)).casefold())
        else:
            self._see("items", event.item_id)
            if event.price is not None:
                self._prices.add(event.price)

    def item(self, item: Item) -> None:
        """Take an entry of a catalogue."""
        self._take("item", item)
        self._see("catalogue", item.item_id)
        if item.category:
            self._see("categories", "\n".join(item.category))
        if item.brand:
            self._see("brands", item.brand)
        if item.price is not None:
            self._listed.add(item.price)

    def refused(self, reason: str, problem: str) -> None:
        """Take a line or record that is not one of ours."""
        count, examples = self._invalid.get(reason, (0, []))
        if len(examples) < PROBLEMS:
            examples.append(problem)
        self._invalid[reason] = (count + 1, examples)

    def quality(self, source: str) -> Quality:
        """Return what was found; to be called once, at the end.

        Args:
            source: What was read, for the heading.
        """
        per_user = Distribution("per_user", "Events of a user", "events", *COUNTS)
        for user in self._users.kept.values():
            per_user.add(user.events, self._users.scale)
            self._sessions.add(user.session, self._users.scale)
        cardinalities = [Cardinality("users", self._users.distinct, self._users.scale == 1)]
        cardinalities += [
            Cardinality(name, seen.distinct, seen.scale == 1)
            for name, seen in self._distinct.items()
        ]
        spread = (self._prices, self._listed, per_user, self._gaps, self._hours, self._sessions)
        return Quality(
            source=source,
            events={kind: self._events[kind] for kind in _KINDS if kind != "item"},
            items=self._events["item"],
            first_ts=self._first,
            last_ts=self._last,
            invalid=self._refusals(),
            missing=self._lacking(),
            repeated_ids=self._repeated_ids,
            repeated_actions=self._repeated_actions,
            behind_log=self._behind_log.histogram(),
            behind_user=self._behind_user.histogram(),
            bursts=tuple(Burst(*one) for one in self._bursts.ranked()),
            cardinalities=tuple(cardinalities),
            uncatalogued=self._distinct["catalogue"].lacks(self._distinct["items"]),
            histograms=tuple(one.histogram() for one in spread),
            estimated=self._estimated(),
        )

    def _take(self, kind: str, value: Event | Item) -> None:
        self._events[kind] += 1
        for name in _OPTIONAL[kind]:
            if getattr(value, name) in (None, ""):
                self._missing[kind, name] += 1

    def _see(self, name: str, value: str) -> None:
        sample = self._distinct[name]
        key = sample.key(value)
        if key is not None and key not in sample.kept:
            sample.put(key, None)

    def _known(self, kind: str, event: Event) -> bool:
        """Tell whether the event's id came before, within its kind, and remember it."""
        key = self._ids.key(f"{kind} {event.event_id}")
        if key is None:
            return False
        if key in self._ids.kept:
            self._repeated_ids += self._ids.scale
            return True
        self._ids.put(key, None)
        return False

    def _repeat(self, event: Event) -> None:
        """Count an act that is told twice; as in a worker, the one told first goes on counting."""
        done = event.query.casefold() if isinstance(event, Search) else event.item_id
        action = f"{event.kind} {event.user_id}\n{done}"
        before = self._actions.swap(action, event.ts)
        if before is not None and twins(before, event.ts, REPEAT_MS):
            self._actions.swap(action, before)
            self._repeated_actions += 1

    def _burst(self, event: Event) -> None:
        minute = event.ts // _MINUTE_MS
        before = self._minutes.swap(event.user_id, (minute, 1))
        if before is not None and before[0] == minute:
            self._minutes.swap(event.user_id, (minute, before[1] + 1))
            self._bursts.offer(event.user_id, before[1] + 1, minute * _MINUTE_MS)

    def _follow(self, event: Event) -> None:
        """Follow the event's user from one event to the next, where the user is in the sample."""
        key = self._users.key(event.user_id)
        if key is None:
            return
        user = self._users.kept.get(key)
        if user is None:
            self._users.put(key, _User(1, event.ts, 1))
            return
        user.events += 1
        pause = event.ts - user.newest_ts
        if pause < 0:
            self._behind_user.add(-pause / 1000, self._users.scale)
            user.session += 1
            return
        self._gaps.add(pause / 1000, self._users.scale)
        user.newest_ts = event.ts
        if pause > SESSION_GAP_MS:
            self._sessions.add(user.session, self._users.scale)
            user.session = 0
        user.session += 1

    def _refusals(self) -> tuple[Invalid, ...]:
        found = sorted(self._invalid.items(), key=lambda one: -one[1][0])
        return tuple(Invalid(reason, count, tuple(said)) for reason, (count, said) in found)

    def _lacking(self) -> tuple[Missing, ...]:
        return tuple(
            Missing(kind, name, self._missing[kind, name], self._events[kind])
            for kind, names in _OPTIONAL.items()
            if self._events[kind]
            for name in names
        )

    def _estimated(self) -> tuple[str, ...]:
        """Name what is estimated from a sample because there was too much to keep it all."""
        followed = "per_user", "gap", "session", "behind_user"
        compared = max(self._distinct[name].scale for name in ("items", "catalogue"))
        return (
            *(followed if self._users.scale > 1 else ()),
            *(("repeated_ids",) if self._ids.scale > 1 else ()),
            *(("uncatalogued",) if compared > 1 else ()),
        )
