"""Offsets have holes: aborted and marked transactions, and what compaction removed."""

from collections import Counter
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.contract.harness import PARTITIONS, Site, expected_outputs, keys, partition_of
from tests.support import eventually


def holes(records: list[Any]) -> int:
    """Return how many offsets are missing between records, over all partitions."""
    missing = 0
    for partition in range(PARTITIONS):
        offsets = [record.offset for record in records if record.partition == partition]
        missing += offsets[-1] + 1 - len(offsets)
    return missing


def test_aborted_events_never_happened_and_markers_are_passed_over(corner: Site) -> None:
    corner.create()
    worker = corner.worker(batch_records=50)
    for n, outcome in enumerate(("commit", "abort", "commit", "abort")):
        corner.produce(transaction(corner, outcome, n), transactional_id=corner.app_id)
    counted = Counter(dict.fromkeys(keys(40, 40), 2)) + corner.publish(keys(100, 40))
    corner.wait_at_rest()
    assert holes(corner.read(corner.source)) == 2 * 40 + 4 * PARTITIONS
    assert corner.counts() == counted
    assert corner.outputs() == expected_outputs(counted)
    assert worker.stop() == 0


def test_events_that_compaction_removed_are_passed_over(corner: Site, compacted: str) -> None:
    corner.create()
    corner.source = compacted
    eventually(lambda: holes(corner.read(compacted)) > 0, 60, every_s=0.5)
    corner.worker(batch_records=7)
    corner.wait_at_rest()
    assert corner.counts() == Counter(record.key for record in corner.read(compacted))


def transaction(corner: Site, outcome: str, number: int) -> Any:
    async def act(producer: AIOKafkaProducer) -> None:
        await producer.begin_transaction()
        for key in keys(40, 40):
            value = b"%d" % number
            await producer.send(corner.source, value, key=key, partition=partition_of(key))
        await producer.flush()
        if outcome == "commit":
            await producer.commit_transaction()
        else:
            await producer.abort_transaction()

    return act
