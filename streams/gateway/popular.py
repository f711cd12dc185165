"""What is popular now: for strangers, for lists that are short, for rankings that are late."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.events import MAX_CANDIDATES, MAX_LIST
from features.text import query_keys, terms
from ranker.columns import BY_DAY, HIDDEN, SHOWN
from ranker.items import ItemIndex
from ranker.limits import Limits
from streams import steps

FRESH_S = 1.0
"""So long an order once made is used."""
ORDERS = 32
"""Orders that are kept, by domain and limits; each takes two bytes an item."""
MOST = MAX_CANDIDATES + MAX_LIST
"""Items in order: as many as a request can exclude, and want."""


class Order(NamedTuple):
    """The most popular items that pass some limits.

    Attributes:
        item_ids: The most popular first.
        inside: Which slots pass.
        passing: Which of these may be shown now.
        until: When it is to be made anew, s.
    """

    item_ids: tuple[str, ...]
    inside: NDArray[np.bool_]
    passing: NDArray[np.bool_]
    until: float


class Popular:
    """Orders of an index that somebody else feeds.

    Args:
        index: All items.
        now_ms: Time of day.
        clock: Seconds, going forward.
    """

    def __init__(
        self,
        index: ItemIndex,
        now_ms: Callable[[], int],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._index = index
        self._now_ms = now_ms
        self._clock = clock
        self._orders: OrderedDict[tuple[int, Limits], Order] = OrderedDict()

    def order(self, domain: str | None, limits: Limits) -> Order:
        """Return what is popular in a domain, by default the first, and passes the limits."""
        number = self._index.domain_named(domain or "")
        now = self._clock()
        order = self._orders.pop((number, limits), None)
        if order is None or order.until <= now:
            order = self._made(number, limits, now + FRESH_S)
        self._orders[number, limits] = order
        if len(self._orders) > ORDERS:
            self._orders.popitem(last=False)
        return order

    def passes(self, order: Order, item_ids: Sequence[str], *, in_stock: bool) -> list[bool]:
        """Tell of each item whether it passes, and may be shown now where it must be in stock.

        One that came since the order was made does not.
        """
        passing = order.passing if in_stock else order.inside
        slots = self._index.slots(item_ids)
        known = (slots >= 0) & (slots < len(passing))
        slots[~known] = 0
        found: list[bool] = (known & passing[slots]).tolist() if len(passing) else []
        return found or [False] * len(item_ids)

    def sorted(self, order: Order, item_ids: Iterable[str]) -> list[str]:
        """Return the items that may be shown, the most popular first; unknown ones come last."""
        ids = list(dict.fromkeys(item_ids))
        slots = self._index.slots(ids)
        known = slots >= 0
        keys = np.full(len(ids), -np.inf)
        keys[known] = self._index.columns.popular_key[slots[known], BY_DAY]
        shown = np.array(self.passes(order, ids, in_stock=True), np.bool_) | ~known
        best = np.lexsort((~known, -keys))
        return [ids[place] for place in best.tolist() if shown[place]]

    def matching(self, order: Order, query: str) -> tuple[str, ...]:
        """Return the items that a search matches and that may be shown, the best match first."""
        words = steps.meant(query, self._index)
        found = self._index.search(terms(words), query_keys(words), self._now_ms())
        scores = np.zeros(len(order.passing))
        inside = found.slots < len(scores)
        np.add.at(scores, found.slots[inside], found.values[inside])
        scores[~order.passing] = 0
        best = np.argsort(-scores, kind="stable")[:MAX_LIST]
        return self._ids(best[scores[best] > 0].tolist())

    def _made(self, domain: int, limits: Limits, until: float) -> Order:
        columns, size, now = self._index.columns, len(self._index), self._now_ms()
        status = columns.status[:size]
        dated = (columns.available_from[:size] <= now) & (now < columns.available_to[:size])
        inside = columns.domain[:size] == domain
        if limits != Limits():
            inside[self._index.outside(limits)] = False
        passing = inside & ((status == SHOWN) | ((status != HIDDEN) & dated))
        slots = np.flatnonzero(passing)
        keys = columns.popular_key[slots, BY_DAY]
        if len(slots) > MOST:
            best = np.argpartition(-keys, MOST)[:MOST]
            slots, keys = slots[best], keys[best]
        ranked = slots[np.argsort(-keys, kind="stable")]
        return Order(self._ids(ranked.tolist()), inside, passing, until)

    def _ids(self, slots: Sequence[int]) -> tuple[str, ...]:
        ids = self._index.ids
        return tuple(ids[slot] for slot in slots)
