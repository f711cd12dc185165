"""The item broadcast: every worker reads all of `item-state` into memory of its own.

Faust's GlobalTable is not used (it can loop in recovery): this is a consumer of its own, on all
partitions, from the start, without a group, so a rebalance never touches it.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from features.decay import DAY_MS
from features.item import decode_item
from features.levels import CategoryLevels
from ranker.items import ItemIndex
from streams.broadcast import forget_item, show_items
from streams.item_states import half_lives_of
from streams.security import connection
from streams.settings import Settings
from streams.settings_domains import domains_of

log = logging.getLogger(__name__)

POLL_MS = 200
YIELD_EVERY = 256
"""Rows applied between two turns of the event loop, so that a catch-up never blocks a heartbeat."""


def index_of(settings: Settings) -> ItemIndex:
    """Return an empty index, made for what the settings say."""
    return ItemIndex(
        settings.neighbours,
        settings.factors,
        settings.neighbour_half_life_days * DAY_MS,
        half_lives_of(domains_of(settings.domains)),
    )


class IndexFeed:
    """Keeps an `ItemIndex` and `CategoryLevels` equal to the newest rows of `item-state`.

    Made inside a running event loop, which is the consumer's from then on.

    Args:
        settings: Broker, security and topic names.
        index: The index to write to; nobody else writes to it.
        levels: The statistics to write to, likewise.
    """

    def __init__(self, settings: Settings, index: ItemIndex, levels: CategoryLevels) -> None:
        self._topic = settings.topics.item_state
        self._index = index
        self._levels = levels
        self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=settings.fetch_max_bytes,
            max_partition_fetch_bytes=settings.fetch_max_bytes,
            **connection(settings),
        )

    async def start(self) -> None:
        """Read what the topic holds now."""
        await self._consumer.start()
        partitions = await self._partitions()
        self._consumer.assign(partitions)
        await self._consumer.seek_to_beginning(*partitions)
        await self._catch_up(await self._consumer.end_offsets(partitions))
        log.info("index ready items=%d", len(self._index))

    async def follow(self) -> None:
        """Go on reading, until cancelled."""
        while True:
            await self._poll([])

    async def stop(self) -> None:
        """Leave the broker."""
        await self._consumer.stop()

    async def _partitions(self) -> list[TopicPartition]:
        await self._consumer._client.force_metadata_update()  # noqa: SLF001  there is no public way without a subscription
        numbers = self._consumer.partitions_for_topic(self._topic) or set()
        if not numbers:
            raise LookupError(
                f"topic {self._topic!r} is not there: run `headrace topics create` first",
            )
        return [TopicPartition(self._topic, number) for number in sorted(numbers)]

    async def _catch_up(self, ends: Mapping[TopicPartition, int]) -> None:
        behind = {tp for tp, end in ends.items() if end > 0}
        while behind:
            await self._poll(list(behind))
            for tp in list(behind):
                if await self._consumer.position(tp) >= ends[tp]:
                    behind.discard(tp)

    async def _poll(self, partitions: list[TopicPartition]) -> None:
        fetched = await self._consumer.getmany(*partitions, timeout_ms=POLL_MS)
        for records in fetched.values():
            await self._apply(records)

    async def _apply(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        newest = {record.key: record.value for record in records}
        rows = []
        for key, value in newest.items():
            item_id = key.decode()
            if value is None:
                forget_item(self._index, self._levels, item_id)
            else:
                rows.append((item_id, decode_item(value)))
            if len(rows) >= YIELD_EVERY:
                show_items(self._index, self._levels, rows)
                rows = []
                await asyncio.sleep(0)
        show_items(self._index, self._levels, rows)
