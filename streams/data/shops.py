"""The two real shops that come with Headrace, so that a demo needs no download.

Each shop's ids carry its prefix, so that both can share the topics without meeting.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from features.events import Event, Item
from streams.data.folder import EVENTS, ITEMS
from streams.data.lines import read_lines

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop whose events and catalogue are shipped, under a licence that NOTICE repeats."""

    name: str
    prefix: str
    title: str
    licence: str
    events_total: int
    items_total: int

    @property
    def events_path(self) -> Path:
        """Where its events are, ids as the shop has them."""
        return _HERE / f"{self.name}.events.jsonl.xz"

    @property
    def items_path(self) -> Path:
        """Where its catalogue is, likewise; its lines name no `type`."""
        return _HERE / f"{self.name}.items.jsonl.xz"

    def events(self) -> Iterator[Event]:
        """Yield every event in time order, ids prefixed."""
        return read_lines(self.events_path, EVENTS, prefix=self.prefix)

    def items(self) -> Iterator[Item]:
        """Yield the catalogue in item order, ids prefixed."""
        return read_lines(self.items_path, ITEMS, prefix=self.prefix)


ONLINE_RETAIL = Shop(
    name="online_retail",
    prefix="retail-",
    title="a gift shop's purchases, 2010-12 to 2011-12",
    licence="UCI Online Retail, CC BY 4.0, DOI 10.24432/C5BW33",
    events_total=397_884,
    items_total=3_665,
)
ESHOP_CLOTHING = Shop(
    name="eshop_clothing",
    prefix="clothing-",
    title="a clothing shop's clicks, 2008-04 to 2008-08",
    licence="UCI clickstream data for online shopping, CC BY 4.0, DOI 10.24432/C5QK7X",
    events_total=165_474,
    items_total=217,
)


def shops() -> tuple[Shop, ...]:
    """Return the shipped shops, the one whose events are oldest first."""
    return (ESHOP_CLOTHING, ONLINE_RETAIL)


def in_time_order(chosen: Sequence[Shop]) -> Iterator[Event]:
    """Merge the events of several shops by event time; each shop's own order is kept."""
    return heapq.merge(*(shop.events() for shop in chosen), key=attrgetter("ts"))
