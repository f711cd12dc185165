"""Publish many events at once: whole batches, ten times as fast as one by one.

For files and replays. Apps that send as things happen use `streams.producer.EventProducer`.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from features.events import Event, Item
from streams.codec import Wire, encode_event
from streams.delivery import DeliveryError
from streams.partitions import partition_of
from streams.security import connection
from streams.settings import Settings

_BATCH_BYTES = 256 * 1024
_UNCONFIRMED = 64  # batches
_BREATH = 1_000  # events between two turns of the event loop, which sends meanwhile

Place = tuple[str, int]
"""Topic and partition."""


def publish(
    settings: Settings,
    events: Iterable[Event | Item],
    *,
    wire: Wire = "msgpack",
    sent: Callable[[], None] | None = None,
) -> int:
    """Send events and items, each to its topic under its key, and wait until all are confirmed.

    Events of a partition stay in order, and a retry does not double them. They are taken to be
    valid, as `streams.codec.decode_line` and `streams.data` give them.

    Args:
        settings: broker, security, topic names and compression.
        events: what to send; drawn as fast as Kafka takes it.
        wire: how events are written.
        sent: called once for each event.

    Returns:
        How many were sent.

    Raises:
        DeliveryError: no broker answers, a topic is missing, or Kafka did not confirm all.
    """
    return asyncio.run(_publish(settings, events, wire, sent or _nothing))


def producer_of(settings: Settings, batch_bytes: int = _BATCH_BYTES) -> AIOKafkaProducer:
    """Return a producer for `Batches`, not yet started; to be made inside a running event loop."""
    return AIOKafkaProducer(
        enable_idempotence=True,
        compression_type=None if settings.compression == "none" else settings.compression,
        max_batch_size=batch_bytes,
        **connection(settings),
    )


async def _publish(
    settings: Settings, events: Iterable[Event | Item], wire: Wire, sent: Callable[[], None]
) -> int:
    producer = producer_of(settings)
    try:
        try:
            await producer.start()
        except KafkaError as error:
            raise DeliveryError(f"{settings.broker}: no broker answers: {error}") from error
        batches = Batches(producer)
        topics = settings.topics
        partitions = {name: await partitions_of(producer, name) for name in _names(settings)}
        count = 0
        for event in events:
            if isinstance(event, Item):
                topic, key = topics.catalog, event.item_id.encode()
            else:
                topic, key = topics.events[event.kind], event.user_id.encode()
            place = (topic, partition_of(key, partitions[topic]))
            await batches.put(place, key, encode_event(event, wire))
            sent()
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
        await batches.finish()
    except KafkaError as error:
        raise DeliveryError(f"not everything was confirmed: {error}") from error
    else:
        return count
    finally:
        await producer.stop()


def _names(settings: Settings) -> tuple[str, ...]:
    return (*settings.topics.events, settings.topics.catalog)


async def partitions_of(producer: Any, topic: str) -> int:
    """Return how many partitions a topic has.

    Raises:
        DeliveryError: there is no such topic.
    """
    try:
        return len(await producer.partitions_for(topic))
    except KafkaError as error:
        raise DeliveryError(
            f"no topic {topic!r}: {error}; create it with: headrace topics create"
        ) from error


Turns = defaultdict[Place, asyncio.Lock]
"""Who may wait for a partition."""


class Batches:
    """One open batch a partition, and those on their way in the order in which they left.

    Args:
        producer: Of `producer_of`; several may share it.
        turns: Of those who share it: only one waits for a partition at a time. aiokafka lets
            waiters race for it, and counts the time of each lost race from the start again, so
            that a hundred losses within a second are a timeout of 40 s.
    """

    def __init__(self, producer: Any, turns: Turns | None = None) -> None:
        self._producer = producer
        self._turns: Turns = defaultdict(asyncio.Lock) if turns is None else turns
        self._open: dict[Place, Any] = {}
        self._leaving: deque[asyncio.Future[Any]] = deque()

    async def put(self, place: Place, key: bytes, value: bytes | None) -> None:
        """Add a record to its partition's batch; one that is full leaves first."""
        if not self._add(place, key, value):
            await self._ship(place)
            self._add(place, key, value)

    def _add(self, place: Place, key: bytes, value: bytes | None) -> bool:
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        return batch.append(key=key, value=value, timestamp=None) is not None

    async def _ship(self, place: Place) -> None:
        """Send a partition's batch; wait for the oldest ones while too many are on their way."""
        batch = self._open.pop(place)
        batch.close()
        topic, partition = place
        async with self._turns[place]:
            future = await self._producer.send_batch(batch, topic, partition=partition)
        self._leaving.append(future)
        while len(self._leaving) > _UNCONFIRMED:
            await self._leaving.popleft()

    async def finish(self) -> None:
        """Send what is left and wait until all is confirmed."""
        for place in list(self._open):
            await self._ship(place)
        await asyncio.gather(*self._leaving)
        self._leaving.clear()


def _nothing() -> None:
    """Do nothing for each event."""
