"""What is measured of a running system: the newest records of the topics that shops write to."""

from collections.abc import Callable, Collection, Sequence
from operator import attrgetter
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from features.events import Kind
from streams.codec import BadEvent, decode_event, decode_item
from streams.connecting import connected
from streams.quality.measure import Measure
from streams.quality.result import Quality
from streams.settings import Settings

_POLL_MS = 1_000
_RECORDS = 5_000  # a poll


def profile_live(settings: Settings, records: int, counted: Callable[[], None]) -> Quality:
    """Read the newest records of the event topics and the catalogue, as of now.

    Partitions share the number evenly, so a busy partition reaches less far back than a quiet one.
    What was read is held until it is measured in the order in which the broker got it.

    Args:
        settings: Broker, security and topic names.
        records: So many at most, of all topics together.
        counted: Called for each record.

    Raises:
        ConnectionError: no broker answers.
        LookupError: a topic does not exist, or none holds a record.
    """
    kinds = dict(zip(settings.topics.events, Kind, strict=True))
    consumer = connected(KafkaConsumer, settings, enable_auto_commit=False)
    try:
        found = _newest(consumer, [settings.topics.catalog, *kinds], records, counted)
    finally:
        consumer.close()
    if not found:
        raise LookupError(f"{settings.broker}: no record in {', '.join(kinds)}")
    measure = Measure()
    for record in sorted(found, key=attrgetter("timestamp")):  # of equals, the order stays
        _measure(measure, record, kinds.get(record.topic), settings.domains)
    return measure.quality(f"{settings.broker}, the newest {len(found):,} records")


def _newest(
    consumer: Any, topics: Sequence[str], records: int, counted: Callable[[], None]
) -> list[Any]:
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(_partitions(consumer, topic))
    ]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    begins = consumer.beginning_offsets(partitions)
    share = max(1, records // len(partitions))
    for partition in partitions:
        consumer.seek(partition, max(begins[partition], ends[partition] - share))
    found: list[Any] = []
    # Compaction leaves gaps, so the position counts and not the number of records.
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        for partition, batch in consumer.poll(_POLL_MS, max_records=_RECORDS).items():
            for record in batch:
                if record.offset < ends[partition]:
                    found.append(record)
                    counted()
    return found


def _partitions(consumer: Any, topic: str) -> set[int]:
    numbers: set[int] | None = consumer.partitions_for_topic(topic)
    if not numbers:
        raise LookupError(f"no topic {topic!r}; create it with: headrace topics create")
    return numbers


def _measure(measure: Measure, record: Any, kind: Kind | None, domains: Collection[str]) -> None:
    """Take a record of an event topic, or of the catalogue where `kind` is None."""
    place = f"{record.topic}-{record.partition}"
    try:
        if kind is None:
            _, item = decode_item(record.key, record.value, domains=domains)
            if item is not None:
                measure.item(item)
        else:
            event = decode_event(kind, record.key, record.value, record.timestamp, domains=domains)
            measure.event(event, place)
    except BadEvent as error:
        measure.refused(error.reason, f"{place}, offset {record.offset}: {error}")
