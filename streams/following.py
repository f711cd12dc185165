"""Read all of a topic from its beginning, and go on as it grows.

Faust's GlobalTable is not used (it can loop in recovery): this is a consumer of its own, on all
partitions, without a group, so a rebalance never touches it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from streams.security import connection
from streams.settings import Settings

POLL_MS = 200

Apply = Callable[[Sequence["ConsumerRecord[bytes, bytes]"]], Awaitable[None]]
"""Takes records of one partition, in order."""
Since = Callable[[Mapping[int, int]], Mapping[int, int]]
"""Told the end of each partition; returns the offset to begin with, of those that are not to be
read from their oldest record."""


def _from_the_oldest(_: Mapping[int, int]) -> Mapping[int, int]:
    return {}


class Follower:
    """Hands every record of a topic to a function.

    Made inside a running event loop, which is the consumer's from then on.

    Args:
        settings: Broker, security and how much is taken at once.
        topic: Its name.
        apply: Gets the records.
    """

    def __init__(self, settings: Settings, topic: str, apply: Apply) -> None:
        self._topic = topic
        self._apply = apply
        self._consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=settings.fetch_max_bytes,
            max_partition_fetch_bytes=settings.fetch_max_bytes,
            **connection(settings),
        )

    async def start(self, since: Since = _from_the_oldest) -> None:
        """Read what the topic holds now.

        Args:
            since: Where to begin; at an offset that Kafka has deleted, the oldest comes instead.
        """
        await self._consumer.start()
        partitions = await self._partitions()
        self._consumer.assign(partitions)
        await self._consumer.seek_to_beginning(*partitions)
        ends = await self._consumer.end_offsets(partitions)
        for number, offset in since({tp.partition: end for tp, end in ends.items()}).items():
            self._consumer.seek(TopicPartition(self._topic, number), offset)
        await self._catch_up(ends)

    async def poll(self) -> None:
        """Take what has come since, or wait a moment for it."""
        await self._poll([])

    async def behind(self) -> int:
        """Ask Kafka how many records there are that were not read yet.

        Raises:
            aiokafka.errors.KafkaError: it does not answer.
        """
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        return sum([end - await self._consumer.position(tp) for tp, end in ends.items()])

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
