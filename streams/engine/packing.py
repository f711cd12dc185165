"""Records -> closed record batches (Kafka's format v2), compressed by us and not by aiokafka.

aiokafka compresses lz4 at level 9, which takes ten times as long as level 0 and saves a quarter
of the bytes; it does so on the event loop when the request is made, and offers no setting.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import lz4.frame
import zstandard
from aiokafka.codec import gzip_encode, snappy_encode
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

Header = tuple[str, bytes]
Keyed = tuple[bytes | None, bytes | None] | tuple[bytes | None, bytes | None, Sequence[Header]]

_NO_HEADERS: list[Header] = []
_MAGIC = 2
# Where a batch keeps its fields; its records begin at _RECORDS.
_LENGTH, _CRC, _ATTRIBUTES, _PRODUCER, _RECORDS = 8, 17, 21, 43, 61
_NOT_IN_LENGTH = 12  # the base offset and the length itself
_ZSTD_LEVEL = 3  # as Kafka's own clients


class RecordTooLarge(ValueError):
    """One record alone is more than a batch may hold."""


def _lz4(payload: memoryview) -> bytes:
    # Kafka reads no linked blocks.
    compressed: bytes = lz4.frame.compress(
        payload, compression_level=0, block_linked=False, block_size=lz4.frame.BLOCKSIZE_MAX1MB
    )
    return compressed


@cache
def _zstd() -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL)


_CODECS: dict[str, tuple[int, Callable[[memoryview], bytes]]] = {
    "gzip": (1, gzip_encode),
    "snappy": (2, snappy_encode),
    "lz4": (3, _lz4),
    "zstd": (4, lambda payload: _zstd().compress(payload)),
}


class Packed:
    """A closed batch as aiokafka's producer takes it, in place of its BatchBuilder."""

    def __init__(self, builder: DefaultRecordBatchBuilder, records: int, codec: str | None) -> None:
        self._records = records
        self._buffer = _compressed(builder.build(), codec)

    def record_count(self) -> int:
        """Return how many records are in it."""
        return self._records

    def size(self) -> int:
        """Return its bytes on the wire."""
        return len(self._buffer)

    def closed(self) -> bool:
        """Say that it is complete: it waits for no linger."""
        return True

    def close(self) -> None:
        """Do nothing: it is closed."""

    def append(self, **_: Any) -> None:
        """Take nothing: it is closed."""

    def _set_producer_state(self, producer_id: int, epoch: int, sequence: int) -> None:
        struct.pack_into(">qhi", self._buffer, _PRODUCER, producer_id, epoch, sequence)

    def _build(self) -> bytearray:
        crc = calc_crc32c(memoryview(self._buffer)[_ATTRIBUTES:])
        struct.pack_into(">I", self._buffer, _CRC, crc)
        return self._buffer


def _compressed(batch: bytearray, codec: str | None) -> bytearray:
    """Return the batch with its records compressed, or as it is where that makes it no smaller."""
    if codec is None:
        return batch
    number, compress = _CODECS[codec]
    packed = compress(memoryview(batch)[_RECORDS:])
    if len(packed) >= len(batch) - _RECORDS:
        return batch
    smaller = batch[:_RECORDS] + packed
    struct.pack_into(">i", smaller, _LENGTH, len(smaller) - _NOT_IN_LENGTH)
    struct.pack_into(">h", smaller, _ATTRIBUTES, number)
    return smaller


def pack(
    records: Iterable[Keyed], timestamp_ms: int, limit: int, codec: str | None
) -> Iterator[Packed]:
    """Yield batches that hold the records in their order, in as few as they fit into.

    Args:
        records: (key, value) or (key, value, headers).
        timestamp_ms: of all.
        limit: bytes of a batch before compression.
        codec: one of gzip, snappy, lz4, zstd, or None.

    Raises:
        RecordTooLarge: a record exceeds the limit.
    """
    builder = _builder(limit)
    append, count = builder.append, 0
    for record in records:
        headers = _NO_HEADERS if len(record) == 2 else list(record[2])  # noqa: PLR2004  a list is all that it takes
        if append(count, timestamp_ms, record[0], record[1], headers) is None:
            yield _closed(builder, count, limit, codec)
            builder = _builder(limit)
            append, count = builder.append, 0
            append(count, timestamp_ms, record[0], record[1], headers)
        count += 1
    if count:
        yield _closed(builder, count, limit, codec)


def _builder(limit: int) -> DefaultRecordBatchBuilder:
    # No compression, no transaction, and a producer to be filled in later.
    return DefaultRecordBatchBuilder(_MAGIC, 0, 0, -1, -1, 0, limit)


def _closed(
    builder: DefaultRecordBatchBuilder, count: int, limit: int, codec: str | None
) -> Packed:
    if builder.size() > limit:  # a builder lets one record in, whatever its size
        raise RecordTooLarge(
            f"a record takes {builder.size()} bytes, more than a batch of {limit} bytes may hold: "
            "make the row smaller, or raise producer_max_batch_size and the topic's "
            "max.message.bytes"
        )
    return Packed(builder, count, codec)
