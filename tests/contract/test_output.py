"""Outputs: every codec arrives, and what is slow downstream slows the source, not the memory."""

import re
import signal

import pytest
from kafka import KafkaAdminClient

from tests.contract.harness import PARTITIONS, Site, Worker, expected_outputs, keys
from tests.support import eventually

DEPTH, QUEUED = 4, 16  # batches that handlers hold, and that Faust queues: see app_options
RECORDS = 100


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_each_codec_is_used_read_and_recovered_from(corner: Site, compression: str) -> None:
    corner.create()
    counted = corner.publish(keys(4000, 40))
    first = corner.worker(data="first", compression=compression)
    corner.wait_at_rest()
    first.stop()
    assert corner.outputs() == expected_outputs(counted)
    plain_bytes = sum(len(r.key) + len(r.value) for r in corner.read(corner.output))
    ratio = stored_bytes(corner, corner.output) / plain_bytes
    assert ratio > 1 if compression == "none" else ratio < 0.9
    second = corner.worker(data="second", compression=compression).wait_ready()
    second.stop()
    assert corner.disk("second")[0] == counted


def stored_bytes(corner: Site, topic: str) -> int:
    """Return what a topic takes on the brokers' disks."""
    client = KafkaAdminClient(bootstrap_servers=corner.broker)
    try:
        answer = client.describe_log_dirs()
    finally:
        client.close()
    return sum(
        int(partition["partition_size"])
        for broker in answer
        for directory in broker["log_dirs"]
        for found in directory["topics"]
        if found["name"] == topic
        for partition in found["partitions"]
    )


def test_a_slow_downstream_stops_the_source_and_few_batches_wait(corner: Site) -> None:
    corner.create()
    gate = corner.directory / "gate"
    counted = corner.publish(keys(20_000, 100))  # 200 batches
    worker = corner.worker(gate=str(gate), batch_records=RECORDS, depth=DEPTH, stall_s=2.0)
    eventually(lambda: worker.said("makes no progress"), 40)  # all that will come has come
    batches, records = waiting(worker, 1)
    assert DEPTH < batches <= DEPTH + QUEUED + PARTITIONS
    assert records <= batches * RECORDS
    counted += corner.publish(keys(20_000, 100))
    eventually(lambda: worker.count("makes no progress") >= PARTITIONS, 40)
    assert waiting(worker, 2) == (batches, records)  # whatever else there is to fetch
    gate.touch()
    corner.wait_at_rest()
    assert corner.counts() == counted
    assert corner.outputs() == expected_outputs(counted)


def waiting(worker: Worker, times: int) -> tuple[int, int]:
    """Ask the worker, for the so-manieth time, what was delivered and is not acked."""
    worker.send(signal.SIGRTMIN)
    eventually(lambda: worker.count("waiting: ") == times, 10)
    found = re.findall(r"waiting: (\d+) batches, (\d+) records", worker.log.read_text())
    return int(found[-1][0]), int(found[-1][1])
