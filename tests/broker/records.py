"""What tests put into Kafka and read back, past the clients that they test."""

import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from streams.codec import Wire, encode_recommendation
from streams.lists import Recommendation, RecommendedItem, Trigger
from streams.settings import Settings

NOW = int(time.time() * 1000)


def records(settings: Settings, topic: str) -> list[Any]:
    """Every record of a topic, partition by partition, in order."""
    consumer = KafkaConsumer(bootstrap_servers=settings.servers, enable_auto_commit=False)
    try:
        numbers = consumer.partitions_for_topic(topic) or set()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for batch in consumer.poll(200).values():
                found.extend(batch)
        return found
    finally:
        consumer.close()


def recommendation(user: str, number: int = 0) -> Recommendation:
    return Recommendation(
        rec_id=f"rec-{user}-{number}",
        user_id=user,
        surface="for_you",
        trigger=Trigger(type="click", event_id=f"e{number}"),
        generated_at=NOW,
        event_ts=NOW,
        model_version="generators",
        items=(RecommendedItem(item_id="mug", score=0.5, rank=1),),
    )


def put(settings: Settings, topic: str, values: Iterable[tuple[str, bytes | None]]) -> None:
    producer = KafkaProducer(bootstrap_servers=settings.servers)
    try:
        sends = [producer.send(topic, key=key.encode(), value=value) for key, value in values]
        for send in sends:
            send.get(timeout=30)
    finally:
        producer.close()


def publish_lists(
    settings: Settings, lists: Iterable[Recommendation], wire: Wire = "msgpack"
) -> None:
    found = [(made.user_id, encode_recommendation(made, wire)) for made in lists]
    put(settings, settings.topics.recommendations, found)


def limit(settings: Settings, topic: str, name: str, value: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.servers)
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {name: value})])
    finally:
        admin.close()
