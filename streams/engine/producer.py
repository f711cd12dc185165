"""Faust's producer, made safe to retry and to share."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import aiokafka
from faust.transport.drivers import aiokafka as driver

from streams.engine.patience import be_patient


class Producer(driver.Producer):  # type: ignore[misc]  # faust ships no types
    """Faust's producer, idempotent: a retry neither doubles nor reorders a batch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    def turn(self, topic: str, partition: int) -> asyncio.Lock:
        """Return what to hold while queueing batches that must stay together and in order."""
        return self._turns[topic, partition]

    def _settings_extra(self) -> Mapping[str, Any]:
        return {"acks": "all", "enable_idempotence": True}

    def _new_producer(self, transactional_id: str | None = None) -> aiokafka.AIOKafkaProducer:
        producer = super()._new_producer(transactional_id)
        be_patient(producer.client)
        return producer

    @property
    def client(self) -> aiokafka.AIOKafkaProducer:
        """The aiokafka producer; raises faust.exceptions.NotReady before the app has started."""
        return self._ensure_producer()
