"""Publish a model to all workers, and look at what is published."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka.structs import ConsumerRecord

from features.vector import NAMES
from streams.clock import now_ms
from streams.delivery import Delivery
from streams.following import Follower
from streams.model_feed import ModelFeed
from streams.model_parts import (
    PART_BYTES,
    BadModel,
    Contents,
    Manifest,
    manifest_of,
    sealed,
    split,
)
from streams.models import load_model
from streams.settings import Settings

_UNCONFIRMED = 16  # parts on their way: 8 MiB


class Published(NamedTuple):
    """What a worker that starts now makes of the topic."""

    manifest: Manifest | None  # of the model that it takes; None: none
    refusals: tuple[BadModel, ...]  # what it does not take, and why


def publish(settings: Settings, file: Path, *, timeout_s: float = 30.0) -> Manifest:
    """Send a model's file to all workers, and clear away the model before; return its manifest.

    Parts go first; workers heed them once the manifest follows, and only when Kafka has confirmed
    that are the parts of the model before deleted. So a publisher may die anywhere.

    Args:
        settings: Broker, security and topic names.
        file: As `headrace train` writes it.
        timeout_s: How long to try to deliver a part.

    Raises:
        BadCheckpoint: the file is damaged, or for other features than this program's.
        BadModel: it is too big.
        OSError: it cannot be read, or no broker answers.
        DeliveryError: Kafka did not confirm all of it; the model before goes on.
    """
    payload = file.read_bytes()
    model = load_model(payload)
    now = now_ms()
    manifest = manifest_of(payload, NAMES, model.version, now, PART_BYTES)
    stale = asyncio.run(_contents(settings)).stale(now)
    topic, name = settings.topics.models, f"model {manifest.model_id}"
    delivery = Delivery(settings, unconfirmed=_UNCONFIRMED, linger_ms=0, timeout_s=timeout_s)
    try:
        for number, (key, value) in enumerate(split(payload, manifest, PART_BYTES), 1):
            delivery.send(topic, key, value, f"part {number} of {manifest.count} of {name}")
        delivery.flush()
        delivery.send(topic, *sealed(manifest), f"manifest of {name}")
        delivery.flush()
        for key in stale:
            delivery.send(topic, key, None, f"deletion of {key.decode(errors='replace')}")
        delivery.flush()
    finally:
        delivery.close()
    return manifest


def published(settings: Settings) -> Published:
    """Read the topic as a worker does when it starts.

    Raises:
        LookupError: the topic does not exist.
        aiokafka.errors.KafkaError: no broker answers.
    """
    return asyncio.run(_published(settings))


async def _published(settings: Settings) -> Published:
    refusals: list[BadModel] = []
    feed = ModelFeed(settings, refused=refusals.append)
    try:
        await feed.start()
    finally:
        await feed.stop()
    return Published(feed.manifest, tuple(refusals))


async def _contents(settings: Settings) -> Contents:
    contents = Contents()

    async def take(records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        for record in records:
            contents.take(record.key, record.value, record.timestamp)

    follower = Follower(settings, settings.topics.models, take)
    try:
        await follower.start()
    finally:
        await follower.stop()
    return contents
