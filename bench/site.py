"""The corner of Kafka that the benches work in: topics, records, committed offsets."""

import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError

from bench import work
from streams.broker import Kafka
from streams.engine import partition_of

PARTITIONS = 4
_BATCH_BYTES = 500_000
_IN_FLIGHT = 8

Pair = tuple[bytes, bytes]


class Site:
    """An admin client and what the benches do with it. Async context manager."""

    def __init__(self, broker: str) -> None:
        self.broker = broker
        self._admin = AIOKafkaAdminClient(bootstrap_servers=broker)

    async def __aenter__(self) -> Self:
        await self._admin.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()

    async def create(self, *names: str, compacted: bool = False) -> None:
        """Create topics."""
        configs = {"cleanup.policy": "compact"} if compacted else {}
        topics = [NewTopic(name, PARTITIONS, 1, topic_configs=configs) for name in names]
        answer = await self._admin.create_topics(topics)
        for name, code, *_ in answer.topic_errors:
            if code:
                raise RuntimeError(f"topic {name} was not created: Kafka's error {code}")

    async def delete(self, run: str) -> None:
        """Delete a run's topics, those too that a contestant has made for itself."""
        names = [name for name in await self._admin.list_topics() if run in name]
        await self._admin.delete_topics(names)

    async def committed(self, group: str, topic: str) -> int:
        """Return how many records of a topic a group has committed."""
        try:
            found = await self._admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:  # the broker's first group is being made
            return 0
        return sum(max(0, meta.offset) for tp, meta in found.items() if tp.topic == topic)

    async def publish(self, topic: str, pairs: Iterable[Pair], headers: Sequence[Pair] = ()) -> int:
        """Send (key, value) pairs to the partitions of their keys; return how many."""
        named = [(name.decode(), value) for name, value in headers]
        sent = 0
        async with AIOKafkaProducer(
            bootstrap_servers=self.broker,
            acks="all",
            enable_idempotence=True,
            compression_type="lz4",
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 * _BATCH_BYTES,
        ) as producer:
            open_ = [producer.create_batch() for _ in range(PARTITIONS)]
            waiting = []
            for key, value in pairs:
                sent += 1
                partition = partition_of(key, PARTITIONS)
                record = {"key": key, "value": value, "headers": named, "timestamp": None}
                if open_[partition].append(**record) is None:
                    full, open_[partition] = open_[partition], producer.create_batch()
                    open_[partition].append(**record)
                    waiting.append(await producer.send_batch(full, topic, partition=partition))
                    if len(waiting) >= _IN_FLIGHT:
                        await waiting.pop(0)
            for partition, batch in enumerate(open_):
                if batch.record_count():
                    waiting.append(await producer.send_batch(batch, topic, partition=partition))
            for each in waiting:
                await each
        return sent

    async def ends(self, topic: str, consumer: AIOKafkaConsumer | None = None) -> dict[int, int]:
        """Return the end offset of each partition; asks with a consumer that there is already."""
        if consumer is None:
            async with AIOKafkaConsumer(bootstrap_servers=self.broker) as mine:
                return await self.ends(topic, mine)
        tps = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        found = await consumer.end_offsets(tps)
        return {tp.partition: end for tp, end in found.items()}


@contextmanager
def kafka(given: str | None) -> Iterator[str]:
    """Yield the address that was given, or that of a Kafka that lives as long as the block."""
    if given:
        yield given
        return
    with (
        tempfile.TemporaryDirectory(prefix="headrace-bench-") as directory,
        Kafka(Path(directory)) as address,
    ):
        yield address


def clicks(records: int, users: int, seed: int = 1) -> Iterable[Pair]:
    """Yield keyed events of users chosen evenly; the same for the same arguments."""
    random_ = random.Random(seed)
    for number in range(records):
        event = work.click(number, random_.randrange(users), random_)
        yield event.user_id.encode(), work.encode(event)
