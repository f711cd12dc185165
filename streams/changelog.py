"""What a compacted topic says of a key: its newest value, found by reading the key's partition."""

from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.connecting import connected
from streams.partitions import partition_of
from streams.settings import Settings

_POLL_MS = 1_000
_RECORDS = 5_000  # a poll


def newest_value(settings: Settings, topic: str, key: str) -> bytes | None:
    """Return the newest value of a key as of now; None for a key never written or deleted.

    The partition is read from its oldest record: seconds for a large one.

    Raises:
        ConnectionError: no broker answers.
        LookupError: the topic does not exist.
    """
    consumer = connected(KafkaConsumer, settings, enable_auto_commit=False)
    try:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise LookupError(f"no topic {topic!r}; create it with: headrace topics create")
        partition = TopicPartition(topic, partition_of(key, len(numbers)))
        return _newest(consumer, partition, key.encode())
    finally:
        consumer.close()


def _newest(consumer: Any, partition: TopicPartition, key: bytes) -> bytes | None:
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    end = consumer.end_offsets([partition])[partition]
    newest: bytes | None = None
    # Compaction leaves gaps, so the position counts and not the number of records.
    while consumer.position(partition) < end:
        for records in consumer.poll(_POLL_MS, max_records=_RECORDS).values():
            for record in records:
                if record.key == key and record.offset < end:
                    newest = record.value
    return newest
