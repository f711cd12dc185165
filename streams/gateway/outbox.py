"""What goes into Kafka: confirmed before a request is answered, whole batches at a time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from features.events import Event, Forget, Item
from streams.bulk import Batches, Turns, partitions_of, producer_of
from streams.codec import encode_event
from streams.delivery import DeliveryError
from streams.partitions import partition_of
from streams.settings import Settings

CONFIRMED_WITHIN_S = 10.0
BATCH_BYTES = 2**20 - 2**14
"""Above the body of a request, so that each of its events fits; below what Kafka takes at once."""

_CURE = "Kafka did not confirm it: send it again, under the same event_id, which counts once"

Message = Event | Item | Forget

log = logging.getLogger(__name__)


class Outbox:
    """Sends events, catalogue entries and requests to forget.

    Made inside a running event loop. Requests that run at once share the producer; the events of a
    user stay in the order in which a request names them.

    Args:
        settings: Broker, security, topic names and compression.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topics = settings.topics
        self._producer = producer_of(settings, BATCH_BYTES)
        self._partitions: dict[str, int] = {}
        self._turns: Turns = defaultdict(asyncio.Lock)
        self._renewing = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Reach the broker.

        Raises:
            DeliveryError: a topic is missing.
            KafkaError: no broker answers.
        """
        await self._producer.start()
        topics = self._topics
        for name in (*topics.events, topics.catalog, topics.forget):
            self._partitions[name] = await partitions_of(self._producer, name)

    async def stop(self) -> None:
        """Leave the broker; what is on its way is waited for."""
        await self._producer.stop()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def send(self, messages: Iterable[Message]) -> None:
        """Send messages, and return once Kafka has them all.

        Raises:
            DeliveryError: it did not confirm all in time; some of them may arrive all the same.
        """
        records = []
        for message in messages:
            topic, key = self._place(message)
            records.append((topic, key, encode_event(message)))
        await self._send(records)

    async def delete_item(self, item_id: str) -> None:
        """Take an item out of the catalogue; raises as `send` does."""
        await self._send([(self._topics.catalog, item_id.encode(), None)])

    async def _send(self, records: Iterable[tuple[str, bytes, bytes | None]]) -> None:
        producer = self._producer
        batches = Batches(producer, self._turns)
        try:
            async with asyncio.timeout(CONFIRMED_WITHIN_S):
                for topic, key, value in records:
                    place = (topic, partition_of(key, self._partitions[topic]))
                    await batches.put(place, key, value)
                await batches.finish()
        except TimeoutError as error:
            raise DeliveryError(f"no answer within {CONFIRMED_WITHIN_S:.0f} s; {_CURE}") from error
        except KafkaError as error:
            await self._renew(producer)
            raise DeliveryError(f"{error}; {_CURE}") from error

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        """Go on with another producer, unless that is done already.

        An idempotent one numbers its batches, and once Kafka has refused one, it refuses all that
        follow in that partition.
        """
        async with self._renewing:
            if failed is not self._producer:
                return
            fresh = producer_of(self._settings, BATCH_BYTES)
            try:
                await fresh.start()
            except KafkaError as error:  # nobody is there: the next failure tries again
                log.warning("no new producer: %s", error)
                await fresh.stop()
                return
            self._producer = fresh
            leaving = asyncio.create_task(failed.stop())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)

    def _place(self, message: Message) -> tuple[str, bytes]:
        """Return the topic and the key of a message."""
        topics: Any = self._topics
        if isinstance(message, Item):
            return topics.catalog, message.item_id.encode()
        if isinstance(message, Forget):
            return topics.forget, message.user_id.encode()
        return topics.events[message.kind], message.user_id.encode()
