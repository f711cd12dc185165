"""What is counted of one period: bounded, however many events there are."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from features.events import Click, Event, Kind, Purchase, Search
from ranker import metrics
from streams.figures.calibration import Calibration
from streams.figures.rates import DIGITS, at_lengths
from streams.figures.segments import (
    AGE_NAMES,
    AGES,
    TOUCH_NAMES,
    TOUCHES,
    Group,
    Segments,
)
from streams.lists import SURFACES, Recommendation
from streams.quality.sketches import Distribution, Heavy, Sample
from streams.report.period import Period
from streams.report.screen import Shown

DISTINCT = 200_000
"""Users counted one by one, and items with what was shown of them; of more, a uniform sample."""
HEAVY = 50_000
"""Items surely counted for the tables of items."""
MODELS = 20
"""Versions of models told apart."""
LATENCIES_MS = (5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 60_000)


class Known(NamedTuple):
    """What was known before an event that is held against a list."""

    touches: int  # of the user, in what was read before
    item_age_ms: int  # as in `streams.figures.segments`
    surface: int  # of SURFACES
    domain: int
    kind: Kind


class Money:
    """Of purchases in one currency: what was paid, in all and as far as it could be judged."""

    def __init__(self) -> None:
        self.purchases = 0
        self.amount = self.judged = self.recommended = 0.0


class _Item:
    """How often an item was touched, and shown in the first places of lists, by length."""

    __slots__ = ("shown", "touches")

    def __init__(self, lengths: int) -> None:
        self.touches = 0
        self.shown = [0] * lengths


class Tally:
    """Takes what was read of one period, in any order.

    Args:
        period: Which.
        ks: Lengths at which lists are judged, ascending.
        domains: Names of the domains.
    """

    def __init__(self, period: Period, ks: tuple[int, ...], domains: tuple[str, ...]) -> None:
        steps, k = period.steps, max(ks)
        self.period, self.ks = period, ks
        self.users: Sample[None] = Sample(DISTINCT)
        self.items: Sample[_Item] = Sample(DISTINCT)
        self.touched = {Kind.CLICK: Heavy(HEAVY), Kind.PURCHASE: Heavy(HEAVY)}
        self.money: dict[str, Money] = {}
        self.unpriced = 0
        self.models: dict[str, tuple[int, int]] = {}  # version -> time of the first list, lists
        self.events = np.zeros((steps, len(Kind)), np.int64)
        self.lists = np.zeros((steps, len(SURFACES)), np.int64)
        self.missing = 0  # lists that compaction took
        self.judged = np.zeros((steps, len(Kind)), np.int64)  # events whose lists are known
        self.out_of_lists = np.zeros((steps, len(Kind)), np.int64)
        self.positions = np.zeros((steps, k + 1), np.int64)
        self.segments = Segments(k, _groups(domains))
        self.calibration = Calibration()
        self.waits = [_latency() for _ in range(steps)]
        self.wait = _latency()
        self.dead_letters: Counter[str] = Counter()

    def event(self, event: Event, ts: int) -> None:
        """Take an event that was stored at a time."""
        self.events[self.period.place(ts), event.kind] += 1
        key = self.users.key(event.user_id)
        if key is not None and key not in self.users.kept:
            self.users.put(key, None)
        if isinstance(event, Search):
            return
        self.touched[event.kind].add(event.item_id)
        item = self._item(event.item_id)
        if item is not None:
            item.touches += 1
        if isinstance(event, Purchase):
            if event.price is None:
                self.unpriced += 1
            else:
                money = self.money.setdefault(event.currency or "", Money())
                money.purchases += 1
                money.amount += paid(event)

    def made(
        self, made: Recommendation, ts: int, wait_ms: int | None = None, *, whole: bool = True
    ) -> None:
        """Take a list.

        Args:
            made: The list.
            ts: When it was stored.
            wait_ms: How long its event waited for it, where that is known.
            whole: Whether lists of that time are all there. What is left of others is counted, but
                says nothing of all: it is the last of each user.
        """
        place = self.period.place(ts)
        self.lists[place, SURFACES.index(made.surface)] += 1
        first, count = self.models.get(made.model_version, (ts, 0))
        if made.model_version in self.models or len(self.models) < MODELS:
            self.models[made.model_version] = min(first, ts), count + 1
        if not whole:
            return
        if wait_ms is not None:
            self.waits[place].add(wait_ms)
            self.wait.add(wait_ms)
        for position, one in enumerate(made.items[: max(self.ks)]):
            item = self._item(one.item_id)
            if item is not None:
                for number, k in enumerate(self.ks):
                    item.shown[number] += position < k

    def held(self, shown: Shown, position: int, known: Known, ts: int) -> None:
        """Take an event that was held against a list that was shown before."""
        inside = position if position <= max(self.ks) else 0
        self.positions[self.period.place(ts), inside] += 1
        self.segments.add(known, inside)
        if not shown.used:
            self.calibration.add(shown.scores, position)

    def judge(self, event: Click | Purchase, ts: int, *, out_of_list: bool) -> None:
        """Take whether an event came out of a list; all lists that it could be of are known."""
        place = self.period.place(ts)
        self.judged[place, event.kind] += 1
        self.out_of_lists[place, event.kind] += out_of_list
        if isinstance(event, Purchase) and event.price is not None:
            money = self.money.setdefault(event.currency or "", Money())
            money.judged += paid(event)
            money.recommended += paid(event) * out_of_list

    @property
    def items_touched(self) -> int:
        """Distinct items that were clicked or bought; an estimate beyond `DISTINCT`."""
        return sum(one.touches > 0 for one in self.items.kept.values()) * self.items.scale

    def figures(self, catalogue: int) -> dict[str, float]:
        """Return the metrics of lists, as an evaluation has them; none without a prediction.

        Args:
            catalogue: Items that there are.
        """
        positions = self.positions.sum(axis=0)
        if not positions.any():
            return {}
        figures = at_lengths(positions, self.ks)
        kept = list(self.items.kept.values())
        share = np.array([one.touches for one in kept], np.float64)
        share /= max(1.0, share.sum() * self.items.scale)
        for number, k in enumerate(self.ks):
            shown = np.array([one.shown[number] for one in kept], np.int64)
            distinct = int(np.count_nonzero(shown)) * self.items.scale
            figures[f"coverage@{k}"] = min(1.0, distinct / catalogue) if catalogue else 0.0
            figures[f"novelty@{k}"] = metrics.novelty(shown, share)
        figures["calibration_error"] = self.calibration.error
        return {name: round(value, DIGITS) for name, value in figures.items()}

    def touches_of(self) -> Mapping[str, int]:
        """Return how often the items were touched that were touched most."""
        clicks, purchases = (one.counts for one in self.touched.values())
        return Counter(clicks) + Counter(purchases)

    def _item(self, item_id: str) -> _Item | None:
        key = self.items.key(item_id)
        if key is None:
            return None
        item = self.items.kept.get(key)
        if item is None:
            item = _Item(len(self.ks))
            self.items.put(key, item)
        return item


def paid(purchase: Purchase) -> float:
    """Return what a purchase cost; without a quantity it is of one."""
    return (purchase.price or 0.0) * (1.0 if purchase.quantity is None else purchase.quantity)


def _groups(domains: tuple[str, ...]) -> dict[str, Group[Known]]:
    groups: dict[str, Group[Known]] = {
        "what was done": Group(lambda known: known.kind, (Kind.PURCHASE,), ("clicked", "bought")),
        "shown by": Group(lambda known: known.surface, (1,), SURFACES),
        "touches of the user before": Group(lambda known: known.touches, TOUCHES, TOUCH_NAMES),
        "age of the item": Group(lambda known: known.item_age_ms, AGES, AGE_NAMES),
    }
    if len(domains) > 1:
        edges = tuple(range(1, len(domains)))
        groups["domain"] = Group(lambda known: known.domain, edges, domains)
    return groups


def _latency() -> Distribution:
    labels = ["under 5", *(f"{edge:,}+" for edge in LATENCIES_MS)]
    return Distribution("wait", "From event to list", "ms", LATENCIES_MS, labels)
