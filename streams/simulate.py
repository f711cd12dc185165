"""Simulated shoppers: they search, click and buy on a real catalogue, the same way for a seed.

The shipped shops have purchases and clicks but no searches, and nobody is awake in them now.
These shoppers fill that gap in demos and load tests. They are no evidence of quality: their ids
say `simulated-`, and no figure of ours is measured on them.
"""

import heapq
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from features.events import Click, Event, Item, Purchase, Search
from streams.shelf import Shelf

PREFIX = "simulated-"
EVENTS_PER_SESSION = 3.0  # measured on both shops, within a tenth
SESSION_S = 125.0  # likewise, with the look at the last page

_SHOWN = 10  # places of a list that a shopper sees
_PAUSE_MS = 5_000  # a shopper's next session starts at least so long after the last


@dataclass(frozen=True, slots=True)
class Habits:
    """How likely a shopper is to do what; every figure is a probability in 0..1."""

    search_first: float = 0.65  # opens with a search rather than with something popular
    heed: float = 0.35  # opens with what was recommended, where something was
    own_taste: float = 0.8  # looks for a word of her taste rather than for something popular
    more_words: float = 0.5  # adds one word of the title she has in mind
    typo: float = 0.04  # swaps two letters of a query
    retry: float = 0.5  # searches again after a search that led to no click
    look_on: float = 0.55  # goes on from a clicked item to one like it
    buy: float = 0.18  # buys what she clicked, if it fits her taste fully


@dataclass(slots=True)
class _Shopper:
    user_id: str
    tastes: tuple[str, ...]
    log_price: float  # of what she likes to pay
    free_at: int = 0  # ms; when her next session may start
    sessions: int = 0


@dataclass(slots=True)
class _Visit:
    """One session in the making: its clock runs on with every step."""

    shopper: _Shopper
    session_id: str
    ts: int  # ms
    events: list[Event] = field(default_factory=list)

    def next_id(self) -> str:
        return f"{self.session_id}-{len(self.events)}"


def simulate(
    items: Sequence[Item],
    seed: int,
    *,
    shoppers: int = 2_000,
    start_ts: int,
    events_per_s: float = 20.0,
    habits: Habits | None = None,
    shown: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Event]:
    """Yield events of simulated shoppers without end, in time order.

    Equal arguments give equal events, byte by byte, on any machine (`shown` left out).

    Args:
        items: the catalogue; words of titles, categories and brands are what shoppers look for.
        seed: chooses tastes, popularity and every step.
        shoppers: how many different users there are.
        start_ts: event time in ms at which the first shopper may come in.
        events_per_s: the average rate in event time, once the first sessions are under way.
        habits: how shoppers act, the usual ones if left out.
        shown: user id -> item ids last recommended, best first; the caller may change it while
            events are drawn. Shoppers with an entry sometimes start from it.

    Raises:
        ValueError: no items, no shoppers, or so high a rate that every shopper is always busy.
    """
    _check(items, shoppers, events_per_s)
    rng = random.Random(seed)  # noqa: S311  repeatable, not secret
    shelf = Shelf(items, rng)
    crowd = [_shopper(n, shelf, rng) for n in range(shoppers)]
    director = _Director(shelf, rng, habits or Habits(), {} if shown is None else shown)
    gap_ms = 1000.0 * EVENTS_PER_SESSION / events_per_s
    pending: list[tuple[int, int, Event]] = []  # (ts, tie-breaker, event), a heap
    clock, made = float(start_ts), 0
    while True:
        shopper = rng.choice(crowd)
        start = max(int(clock), shopper.free_at)
        visit = _Visit(shopper, f"{shopper.user_id}-{seed}-{start_ts}-{shopper.sessions}", start)
        director.play(visit)
        shopper.sessions += 1
        shopper.free_at = visit.ts + _PAUSE_MS
        for event in visit.events:
            heapq.heappush(pending, (event.ts, made, event))
            made += 1
        clock += rng.expovariate(1.0) * gap_ms
        while pending and pending[0][0] < clock:  # no later session can start before the clock
            yield heapq.heappop(pending)[2]


def _check(items: Sequence[Item], shoppers: int, events_per_s: float) -> None:
    if not items:
        raise ValueError("simulate: the catalogue is empty; shoppers need something to look at")
    if shoppers < 1 or not events_per_s > 0:
        raise ValueError(f"simulate: {shoppers=} and {events_per_s=} must both be positive")
    # A shopper is in one session at a time; half of them at home keeps the others waiting briefly.
    most = shoppers * EVENTS_PER_SESSION / SESSION_S / 2
    if events_per_s > most:
        raise ValueError(
            f"simulate: {shoppers} shoppers make at most {most:.1f} events/s, not {events_per_s}; "
            f"ask for at least {math.ceil(shoppers * events_per_s / most)} shoppers"
        )


def _shopper(number: int, shelf: Shelf, rng: random.Random) -> _Shopper:
    tastes = rng.choices(shelf.words, shelf.word_weights, k=3) if shelf.words else []
    liked = shelf.popular(rng)
    return _Shopper(
        user_id=f"{PREFIX}{number:05d}",
        tastes=tuple(dict.fromkeys(tastes)),
        log_price=shelf.log_prices[liked] + rng.gauss(0.0, 0.3),
    )


@dataclass(slots=True)
class _Director:
    """Plays one session after another by the habits, drawing all chances from one generator."""

    shelf: Shelf
    rng: random.Random
    habits: Habits
    shown: Mapping[str, Sequence[str]]

    def play(self, visit: _Visit) -> None:
        """Fill a visit with events; a visitor who finds nothing leaves a search or nothing."""
        place = self._open(visit)
        while place is not None:
            if self.rng.random() < self.habits.buy * self._fit(visit.shopper, place):
                self._buy(visit, place)
            if self.rng.random() >= self.habits.look_on:
                return
            place = self.shelf.like(place, self.rng)
            self._click(visit, place)

    def _open(self, visit: _Visit) -> int | None:
        """Make the first steps of a visit: the item that they end on, None if on none."""
        heeded = self._known(self.shown.get(visit.shopper.user_id, ()))
        if heeded and self.rng.random() < self.habits.heed:
            return self._choose(visit, heeded, search_id=None)
        if self.shelf.words and self.rng.random() < self.habits.search_first:
            place = self._search(visit)
            if place is None and self.rng.random() < self.habits.retry:
                place = self._search(visit)
            return place
        place = self.shelf.popular(self.rng)
        self._click(visit, place)
        return place

    def _known(self, item_ids: Sequence[str]) -> list[int]:
        places = (self.shelf.place.get(item_id) for item_id in item_ids[:_SHOWN])
        return [place for place in places if place is not None]

    def _search(self, visit: _Visit) -> int | None:
        words = self._wanted(visit.shopper)
        query = " ".join(words)
        mistyped = self.rng.random() < self.habits.typo
        search = Search(
            event_id=visit.next_id(),
            user_id=visit.shopper.user_id,
            query=_typo(query, self.rng) if mistyped else query,
            ts=self._tick(visit, 3, 20),
            session_id=visit.session_id,
        )
        visit.events.append(search)
        found = [] if mistyped else self.shelf.matches(words, _SHOWN)
        return self._choose(visit, found, search_id=search.event_id)

    def _wanted(self, shopper: _Shopper) -> list[str]:
        """Return the words of a query: one to look for and perhaps one more of the same title."""
        if shopper.tastes and self.rng.random() < self.habits.own_taste:
            word = self.rng.choice(shopper.tastes)
        else:
            word = self.rng.choice(self.shelf.words)
        target = self.rng.choice(self.shelf.holding(word))
        others = [other for other in self.shelf.item_words[target] if other != word]
        if others and self.rng.random() < self.habits.more_words:
            chosen = {word, self.rng.choice(others)}
            return [other for other in self.shelf.item_words[target] if other in chosen]
        return [word]

    def _choose(self, visit: _Visit, places: Sequence[int], search_id: str | None) -> int | None:
        """Look down a list and perhaps click: return what was clicked.

        The lower a place, the rarer a look; the better a fit, the likelier a click.
        Source: the examination hypothesis, Craswell et al., WSDM 2008.
        """
        for position, place in enumerate(places):
            looked = self.rng.random() < 1.0 / (1.0 + 0.4 * position)
            liked = self.rng.random() < 0.15 + 0.6 * self._fit(visit.shopper, place)
            if looked and liked:
                self._click(visit, place, search_id=search_id, position=position + 1)
                return place
        return None

    def _fit(self, shopper: _Shopper, place: int) -> float:
        """Return how well an item suits a shopper, 0..1: half by words, half by price."""
        words = 1.0 if any(word in self.shelf.item_words[place] for word in shopper.tastes) else 0.3
        off = abs(self.shelf.log_prices[place] - shopper.log_price)
        return 0.5 * words + 0.5 * math.exp(-off)

    def _click(
        self,
        visit: _Visit,
        place: int,
        *,
        search_id: str | None = None,
        position: int | None = None,
    ) -> None:
        item = self.shelf.items[place]
        visit.events.append(
            Click(
                event_id=visit.next_id(),
                user_id=visit.shopper.user_id,
                item_id=item.item_id,
                ts=self._tick(visit, 5, 90),
                session_id=visit.session_id,
                search_id=search_id,
                position=position,
                price=item.price,
            )
        )

    def _buy(self, visit: _Visit, place: int) -> None:
        item = self.shelf.items[place]
        visit.events.append(
            Purchase(
                event_id=visit.next_id(),
                user_id=visit.shopper.user_id,
                item_id=item.item_id,
                ts=self._tick(visit, 20, 120),
                session_id=visit.session_id,
                quantity=self.rng.choice((1, 1, 1, 2, 3)),
                price=item.price,
            )
        )

    def _tick(self, visit: _Visit, least_s: int, most_s: int) -> int:
        """Return the time of a step, and let the time that it takes pass."""
        now = visit.ts
        visit.ts += self.rng.randrange(least_s * 1000, most_s * 1000)
        return now


def _typo(query: str, rng: random.Random) -> str:
    at = rng.randrange(max(1, len(query) - 1))
    return query[:at] + query[at : at + 2][::-1] + query[at + 2 :]
