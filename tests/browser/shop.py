"""A small shop with a real worker and a real gateway, for the tests of its pages."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any

from features.events import Click, Event, Item, Kind, Purchase
from streams import bulk
from streams.codec import decode_event
from streams.settings import Settings
from tests.browser.beside import beside
from tests.conftest import Names
from tests.gateway.running import RunningGateway
from tests.support import eventually
from tests.worker.running import gauge, records, wait_until_learnt, worker_of

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}</script><b>bold</b>"
COLOURS = ("Red", "Blue", "Green", "White")
THINGS = {"mug": "Mugs", "plate": "Plates", "lamp": "Lamps", "bag": "Bags"}
_INDEXED_WITHIN_S = 60.0


def catalogue() -> list[Item]:
    """Return four colours of four things, and one whose words are all hostile."""
    items = [
        Item(
            item_id=f"{colour}-{thing}".lower(),
            title=f"{colour} {thing}",
            category=("Home", kind),
            price=3.5 + n,
        )
        for thing, kind in THINGS.items()
        for n, colour in enumerate(COLOURS)
    ]
    hostile = Item(
        item_id="a/b?c#<d>",
        title=HOSTILE,
        description=HOSTILE,
        category=("Home", HOSTILE[:60]),
        brand=HOSTILE[:60],
        price=1.0,
    )
    return [*items, hostile]


def history(now: int, shoppers: int = 24) -> list[Event]:
    """Return visits in which whoever opens a thing opens others of its kind, and buys one."""
    made: list[Event] = []
    number = count()
    for visit in range(shoppers):
        kind = [item for item in catalogue()[:-1] if f"-{list(THINGS)[visit % 4]}" in item.item_id]
        user, ts = f"past-{visit}", now - (shoppers - visit) * 60_000
        for step in range(3):
            item = kind[(visit // 4 + step) % 4]
            event = {"event_id": f"past-{next(number)}", "user_id": user, "ts": ts + step * 5_000}
            made.append(Click(item_id=item.item_id, **event))  # type: ignore[arg-type]
        bought = {"event_id": f"past-{next(number)}", "user_id": user, "ts": ts + 20_000}
        made.append(Purchase(item_id=item.item_id, price=item.price, **bought))  # type: ignore[arg-type]
    return made


@contextmanager
def open_shop(names: Names, events: Sequence[Event], **more: Any) -> Iterator[RunningGateway]:
    """Open a shop whose worker has learnt some events."""
    settings: Settings = names.create_topics(
        gateway_dir=names.directory / "gateway",
        gateway_shop=True,
        gateway_deadline_ms=5_000,
        **more,
    )
    worker = worker_of(settings, names.directory)
    watching = settings.model_copy(update={"gateway_dashboard_workers": worker.address})
    with worker, RunningGateway(watching) as gateway:
        beside(bulk.publish, settings, catalogue())
        wait_until_learnt(settings, worker)
        eventually(
            lambda: gauge(worker, "headrace_index_items") == len(catalogue()), _INDEXED_WITHIN_S
        )
        beside(bulk.publish, settings, events)
        wait_until_learnt(settings, worker)
        yield gateway


def sent_by(shop: RunningGateway, visitor: str, kind: Kind) -> list[dict[str, Any]]:
    """Return the events that Kafka has of a visitor."""
    topic = shop.settings.topics.events[kind]
    events = [
        decode_event(kind, one.key, one.value, one.timestamp)
        for one in records(shop.settings, topic)
        if one.key == visitor.encode()
    ]
    return [{name: getattr(event, name) for name in event.__struct_fields__} for event in events]
