"""The item broadcast: every worker reads all of `item-state` into memory of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.structs import ConsumerRecord

from features.decay import DAY_MS
from features.item import ItemRow, decode_item
from features.levels import CategoryLevels
from ranker.items import ItemIndex
from streams.aside import in_background
from streams.broadcast import forget_item, show_items
from streams.following import Follower
from streams.item_states import half_lives_of
from streams.settings import Settings
from streams.settings_domains import domains_of

log = logging.getLogger(__name__)

YIELD_EVERY = 256
"""Rows applied between two turns of the event loop, so that a catch-up never blocks a heartbeat."""


def index_of(settings: Settings) -> ItemIndex:
    """Return an empty index, made for what the settings say; what takes long it does aside."""
    return ItemIndex(
        settings.neighbours,
        settings.factors,
        settings.neighbour_half_life_days * DAY_MS,
        half_lives_of(domains_of(settings.domains)),
        aside=in_background,
    )


def levels_of(settings: Settings) -> CategoryLevels:
    """Return empty statistics of categories, made for what the settings say."""
    return CategoryLevels(default=domains_of(settings.domains).default.name)


class IndexFeed:
    """Keeps an `ItemIndex` and `CategoryLevels` equal to the newest rows of `item-state`.

    Made inside a running event loop, which is its consumer's from then on.

    Args:
        settings: Broker, security and topic names.
        index: The index to write to; nobody else writes to it meanwhile.
        levels: The statistics to write to, likewise.
        heard: Told of the rows that came, after the index; None of an item whose row is gone.
    """

    def __init__(
        self,
        settings: Settings,
        index: ItemIndex,
        levels: CategoryLevels,
        heard: Callable[[Sequence[tuple[str, ItemRow | None]]], None] = lambda _: None,
    ) -> None:
        self._index = index
        self._heard = heard
        self._levels = levels
        self._follower = Follower(settings, settings.topics.item_state, self._apply)

    async def start(self) -> None:
        """Read what the topic holds now."""
        await self._follower.start()
        log.info("index ready items=%d", len(self._index))

    async def follow(self, between: Callable[[], Awaitable[None]] | None = None) -> None:
        """Go on reading, until cancelled.

        Args:
            between: Called again and again when nothing is being written to the index, and waited
                for: it may write to the index itself.
        """
        while True:
            await self._follower.poll()
            if between is not None:
                await between()

    async def stop(self) -> None:
        """Leave the broker."""
        await self._follower.stop()

    async def _apply(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        newest = {record.key: record.value for record in records}
        rows = []
        for key, value in newest.items():
            item_id = key.decode()
            if value is None:
                forget_item(self._index, self._levels, item_id)
                self._heard([(item_id, None)])
            else:
                rows.append((item_id, decode_item(value)))
            if len(rows) >= YIELD_EVERY:
                self._show(rows)
                rows = []
                await asyncio.sleep(0)
        self._show(rows)

    def _show(self, rows: Sequence[tuple[str, ItemRow]]) -> None:
        show_items(self._index, self._levels, rows)
        self._heard(rows)
