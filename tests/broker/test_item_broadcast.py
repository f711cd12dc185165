"""Index and statistics are rebuilt from the topic, and follow it, as if each row had come alone."""

import asyncio
from contextlib import suppress

from features.events import Item
from features.item import ItemRow, catalogued, encode_item, new_item
from features.levels import CategoryLevels
from ranker.items import ItemIndex
from streams.broadcast import show_items
from streams.index import IndexFeed
from streams.settings import Settings
from tests.broker.records import put
from tests.conftest import Names
from tests.support import eventually

WITHIN_S = 30.0
KINDS = [("Kitchen", "Mugs"), ("kitchen", "pans"), ("Garden",), None]


def row(number: int, price: float, *, deleted: bool = False) -> ItemRow:
    entry = Item(item_id=f"i{number}", category=KINDS[number % 4], price=price)
    before = catalogued(new_item(), entry, 0)
    return catalogued(before, None, 1) if deleted else before


OLD = {f"i{n}": row(n, 1.0 + n) for n in range(60)}
NEW: dict[str, ItemRow | None] = {
    "i1": None,
    "i2": row(2, 900.0),
    "i4": row(7, 5.0),  # another category
    "i5": row(5, 5.0, deleted=True),
    "i60": row(60, 30.0),
    "never seen": None,
}


def tell(settings: Settings, rows: dict[str, ItemRow | None]) -> None:
    stored = [(name, None if one is None else encode_item(one)) for name, one in rows.items()]
    put(settings, settings.topics.item_state, stored)


def held(levels: CategoryLevels) -> list[tuple[object, ...]]:
    paths = [(), *{tuple(path[:depth]) for path in KINDS if path for depth in (1, 2)}]
    found = [levels.at(path) for path in sorted(paths)]
    return [(one.path, one.items, one.prices, one.clicks, one.spread()) for one in found]


def expected(rows: dict[str, ItemRow]) -> list[tuple[object, ...]]:
    levels = CategoryLevels()
    show_items(ItemIndex(), levels, list(rows.items()))
    return held(levels)


async def follow(settings: Settings) -> None:
    index, levels = ItemIndex(settings.neighbours, settings.factors), CategoryLevels()
    feed = IndexFeed(settings, index, levels)
    try:
        await feed.start()
        assert held(levels) == expected(OLD)
        slots = len(index)
        following = asyncio.create_task(feed.follow())
        await asyncio.to_thread(tell, settings, NEW)
        after = OLD | NEW
        wanted = expected({name: one for name, one in after.items() if one is not None})
        loop = asyncio.get_running_loop()

        async def now() -> list[tuple[object, ...]]:
            return held(levels)

        def caught_up() -> bool:  # waits in a thread, looks between two turns of the feed
            return asyncio.run_coroutine_threadsafe(now(), loop).result(WITHIN_S) == wanted

        await asyncio.to_thread(eventually, caught_up, WITHIN_S)
        assert len(index) == slots + 1  # what was never seen takes no place
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    finally:
        await feed.stop()


def test_statistics_are_rebuilt_and_followed(names: Names) -> None:
    settings = names.create_topics()
    tell(settings, dict(OLD))
    asyncio.run(follow(settings))
