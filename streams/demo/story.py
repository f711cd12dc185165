"""Which part of the shops' logs the demo replays, and what it holds back to compare with."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from features.events import Event, Item, Purchase
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL

CUT_TS = 1_322_784_000_000
"""2011-12-02 UTC: a week before Online Retail ends. What comes later is the future."""
TAUGHT = 20_000
"""Events that the first weights are made from: enough for a demo, and soon done."""
LEAST_BEFORE = 5
"""Replayed purchases of a customer whose list is looked at."""
LEAST_NEXT = 5
"""Lines of that customer's next order: the first is sent, the others are the truth."""


@dataclass(frozen=True, slots=True)
class Return:
    """A real customer comes back after the cut.

    Attributes:
        first: The first line of the next order, to be sent live.
        others: Item ids of its other lines, which nobody is told.
    """

    first: Purchase
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What the demo plays.

    Attributes:
        items: The catalogues of both shops.
        taught: The newest of the replayed events, for the first weights.
        replayed: Real events before the cut, in time order.
        returns: Customers who come back after it, in the order in which they do.
        cut_ts: When the live part begins, in the story's time.
    """

    items: Sequence[Item]
    taught: Sequence[Event]
    replayed: Sequence[Event]
    returns: Sequence[Return]
    cut_ts: int = CUT_TS


def tell(events: int) -> Story:
    """Read the shipped shops.

    Args:
        events: Replay so many of the newest before the cut: four fifths from Online Retail, one
            fifth from the clothing shop.
    """
    clothes = list(ESHOP_CLOTHING.events())[-(events // 5) :]
    gifts = list(ONLINE_RETAIL.events())
    known = [event for event in gifts if event.ts < CUT_TS]
    known = known[-(events - len(clothes)) :]
    later = [event for event in gifts if event.ts >= CUT_TS]
    items = [*ESHOP_CLOTHING.items(), *map(_readable, ONLINE_RETAIL.items())]
    taught = [*clothes[-TAUGHT // 5 :], *known[-TAUGHT * 4 // 5 :]]
    return Story(items, taught, [*clothes, *known], _returns(known, later))


def moved(story: Story, now: int) -> Story:
    """Return the same story at another time: its last event is now, in ms.

    So whoever joins in does not come years later.
    """
    by_ms = now - max((one.first.ts for one in story.returns), default=story.cut_ts)
    return Story(
        story.items,
        [replace(event, ts=event.ts + by_ms) for event in story.taught],
        [replace(event, ts=event.ts + by_ms) for event in story.replayed],
        [Return(replace(one.first, ts=one.first.ts + by_ms), one.others) for one in story.returns],
        story.cut_ts + by_ms,
    )


def _readable(item: Item) -> Item:
    """Return an item of a shop that writes its titles in capitals as others write them."""
    return replace(item, title=item.title.strip().capitalize()) if item.title else item


def _returns(known: Sequence[Event], later: Sequence[Event]) -> list[Return]:
    """Find each customer's first order after the cut: its lines have one time."""
    bought = Counter(event.user_id for event in known)
    orders: defaultdict[str, list[Purchase]] = defaultdict(list)
    for event in later:
        if not isinstance(event, Purchase):
            continue
        order = orders[event.user_id]
        if not order or order[0].ts == event.ts:
            order.append(event)
    found = []
    for user_id, (first, *rest) in orders.items():
        others = tuple(dict.fromkeys(e.item_id for e in rest if e.item_id != first.item_id))
        if bought[user_id] >= LEAST_BEFORE and len(others) >= LEAST_NEXT - 1:
            found.append(Return(first, others))
    return found
