"""The watchdog finds what stands still, and leaves alone what does not."""

from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from tests.contract.harness import PARTITIONS, Site, keys
from tests.support import eventually

STALLED = "makes no progress"


def test_a_handler_that_never_returns_is_named_until_it_does(corner: Site) -> None:
    corner.create()
    gate = corner.directory / "gate"
    worker = corner.worker(gate=str(gate), stall_s=1.0).wait_ready()
    key = keys(1, 1)[0]
    counted = corner.publish([key])
    (partition,) = (p for p, end in corner.ends().items() if end)
    eventually(lambda: worker.said(f"{corner.source}[{partition}] has records but {STALLED}"), 30)
    assert worker.count(STALLED) == 1
    gate.touch()
    eventually(lambda: worker.said(f"{corner.source}[{partition}] stalls no longer"), 30)
    corner.wait_at_rest()
    assert corner.counts() == counted


def test_offsets_that_are_gone_stop_nobody(corner: Site) -> None:
    """The group's next offsets are deleted while it is away, as retention does."""
    corner.create()
    corner.publish(keys(400, 40))
    first = corner.worker()
    corner.wait_at_rest()
    first.stop()
    corner.publish(keys(400, 40))
    ends = corner.ends()
    trimmed = {TopicPartition(corner.source, p): RecordsToDelete(ends[p]) for p in ends}
    corner.admin(lambda admin: admin.delete_records(trimmed))
    worker = corner.worker(stall_s=3.0).wait_ready()
    corner.publish(keys(400, 40))
    corner.wait_at_rest()
    assert not worker.said(STALLED)
    assert sum(corner.counts().values()) == 800
    assert len(corner.ends()) == PARTITIONS
