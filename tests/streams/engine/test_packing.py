"""Batches packed by us are what aiokafka, and so Kafka, reads."""

from typing import Any

import pytest
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.packing import RecordTooLarge, pack

CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
LIMIT = 2000
DATA = st.none() | st.binary(max_size=300)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=2)


def unpacked(packed: Any) -> list[Any]:
    """Read a batch back; check what it says of itself."""
    packed._set_producer_state(7, 3, 11)
    records = MemoryRecords(bytes(packed._build()))
    batch = records.next_batch()
    assert not records.has_next()
    assert batch.validate_crc()
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 3, 11)
    found = list(batch)
    assert [record.offset for record in found] == list(range(packed.record_count()))
    return found


@pytest.mark.parametrize("codec", CODECS)
@given(
    records=st.lists(st.tuples(DATA, DATA) | st.tuples(DATA, DATA, HEADERS), max_size=30),
    timestamp_ms=st.integers(0, 1 << 42),
)
def test_what_goes_in_comes_out_in_order(
    codec: str | None, records: list[Any], timestamp_ms: int
) -> None:
    read = [
        record
        for packed in pack(records, timestamp_ms, LIMIT, codec)
        for record in unpacked(packed)
    ]
    assert [(r.key, r.value, list(r.headers)) for r in read] == [
        (key, value, list(headers[0]) if headers else []) for key, value, *headers in records
    ]
    assert {record.timestamp for record in read} <= {timestamp_ms}


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_batch_is_never_larger_than_uncompressed(codec: str) -> None:
    noise = [(None, bytes(range(n, n + 50))) for n in range(9)]
    plain = [packed.size() for packed in pack(noise, 0, LIMIT, None)]
    assert all(
        packed.size() <= size
        for packed, size in zip(pack(noise, 0, LIMIT, codec), plain, strict=True)
    )
    (small,) = pack([(b"k", b"v" * 1000)], 0, LIMIT, codec)
    assert small.size() < 200


def test_a_batch_is_complete_and_takes_nothing_more() -> None:
    (packed,) = pack([(b"k", b"v")], 0, LIMIT, "lz4")
    assert packed.closed()
    packed.close()
    packed.append(timestamp=0, key=b"k", value=b"v", headers=[])
    assert packed.record_count() == 1


def test_a_record_larger_than_a_batch_is_refused_however_well_it_compresses() -> None:
    packing = pack([(b"a", b""), (b"k", b"v" * 3000)], 0, LIMIT, "lz4")
    assert next(packing).record_count() == 1
    with pytest.raises(RecordTooLarge, match="more than a batch of 2000 bytes"):
        next(packing)
