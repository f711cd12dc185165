"""Sending many records at once: whole batches to a partition, no future per record."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka.partitioner import murmur2
from faust.types import AppT

from streams.engine.batch import PartitionRevoked, current_flight
from streams.engine.fence import Writer
from streams.engine.packing import Keyed, pack


class Receipt(NamedTuple):
    """What the broker confirmed about one batch of records."""

    base_offset: int  # -1: stored, but the broker no longer knows where
    records: int


@lru_cache(maxsize=1 << 17)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the key's partition as every Kafka client's default partitioner has it."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class Output:
    """A topic to write to.

    It sends with the app's own producer, which Faust starts before agents, stops after them and
    flushes before partitions go to another worker: a producer of our own would have to repeat
    that order, and credentials besides.

    Args:
        app: an app on `batch://`.
        topic: its name; it must exist.
    """

    def __init__(self, app: AppT, topic: str) -> None:
        self.app = app
        self.topic = topic

    async def send(self, partition: int, records: Iterable[Keyed]) -> list[Receipt]:
        """Send records to one partition, in order, and wait until all are stored.

        Calls keep their order too: where outputs of one batch must come before those of the next,
        call it right after `stage`, with no other await between.

        Args:
            partition: usually that of the input batch, whose keys these are.
            records: (key, value) or (key, value, headers).

        Raises:
            PartitionRevoked: the batch being handled is outdated; nothing was sent.
            RecordTooLarge: a record exceeds producer_max_batch_size.
            aiokafka.errors.KafkaError: some were not stored.
        """
        refuse_outdated(self.app)
        return await append(self.app, self.topic, partition, records)

    async def send_keyed(self, records: Iterable[Keyed]) -> None:
        """Send records to the partitions of their keys, all in flight at once, and wait.

        Raises: as `send`.
        """
        refuse_outdated(self.app)
        producer = self.app.producer.client
        partitions = len(await producer.partitions_for(self.topic))
        by_partition: defaultdict[int, list[Keyed]] = defaultdict(list)
        for record in records:
            by_partition[partition_of(record[0] or b"", partitions)].append(record)
        await _all(
            append(self.app, self.topic, partition, group)
            for partition, group in by_partition.items()
        )


def refuse_outdated(app: AppT) -> None:
    """Raise PartitionRevoked where the batch being handled has been outdated by a rebalance."""
    flight = current_flight()
    if flight is not None and flight.batch.epoch != app.consumer.epoch:
        raise PartitionRevoked(f"{flight.batch} was revoked while it was handled")


async def append(
    app: AppT,
    topic: str,
    partition: int,
    records: Iterable[Keyed],
    writer: Writer | None = None,
) -> list[Receipt]:
    """Send records to one partition in as few batches as they fit into, and wait for them.

    With a writer they are refused by the broker once somebody else writes that partition.
    """
    conf, now_ms = app.conf, int(time.time() * 1000)
    sent = []
    counts = []
    try:
        async with app.producer.turn(topic, partition):
            for packed in pack(
                records, now_ms, conf.producer_max_batch_size, conf.producer_compression_type
            ):
                if writer is not None:
                    writer.sign(packed)
                counts.append(packed.record_count())
                sent.append(
                    await app.producer.client.send_batch(packed, topic, partition=partition)
                )
    finally:
        stored = await _all(sent)
    return [Receipt(metadata.offset, count) for metadata, count in zip(stored, counts, strict=True)]


async def _all(sending: Iterable[Any]) -> list[Any]:
    """Wait for all, then raise the first error: none is left to fail unseen."""
    outcomes = await asyncio.gather(*sending, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return outcomes
