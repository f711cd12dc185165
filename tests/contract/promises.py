"""What holds under each transport once workers have come and gone, and why stock holds less."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.contract.count_app import ROW
from tests.contract.harness import PARTITIONS, Site, expected_outputs, keys, partition_of
from tests.support import eventually

SLOW: dict[str, Any] = {"batch_records": 50, "pause_s": 0.2}
"""Options of a worker that a test wants to catch in mid-stream: about 1,000 events a second."""


def assert_kept(corner: Site, counted: Counter[bytes]) -> None:
    """Batches: every event is committed, counted once, and sent. Stock Faust keeps less.

    Stock Faust (0.15.3) fetches from sources while tables recover and then empties its queues, so
    events get lost when a worker starts; the partition's commits stop in front of them, for good.
    And it writes a row to disk before the row's changelog record and the event's output have left
    the process: after a kill the disk says "counted", and the replay sends nothing. What holds for
    it: nothing counts twice, no output is wrong, and what comes later is handled.

    Args:
        corner: under either transport, settled.
        counted: how many events each key has got.
    """
    expected = expected_outputs(counted)
    if corner.transport == "kafka":
        outputs = {(key, number) for key, number in corner.outputs() if key in counted}
        assert outputs <= expected
        found = corner.counts()
        assert all(found.get(key, 0) <= number for key, number in counted.items())
    else:
        assert corner.counts() == counted
        assert corner.outputs() == expected
        assert corner.committed() == corner.ends()


def settle(corner: Site, within_s: float = 60) -> None:
    """Wait until workers have handled what there is; under stock, something that comes later."""
    if corner.transport == "batch":
        corner.wait_at_rest(within_s)
        return
    ends = corner.ends()
    probes = {partition_of(key): key for key in (b"probe-%d" % n for n in range(50))}
    assert len(probes) == PARTITIONS

    def passed() -> bool:
        newest = dict.fromkeys(ends, -1)
        for record in corner.read(corner.changelog):
            _, offset = ROW.unpack(record.value) if record.value else (0, -1)
            newest[record.partition] = max(newest[record.partition], offset)
        if all(newest[partition] >= end for partition, end in ends.items()):
            return True
        corner.publish(probes.values())  # again, as one may get lost like any event
        return False

    eventually(passed, within_s, every_s=0.7)


def wait_for_progress(corner: Site, events: int) -> None:
    """Wait until some more events are committed, but not all: the stream must be under way."""
    before = sum(corner.committed().values())
    eventually(lambda: sum(corner.committed().values()) >= before + events, 40)
    assert sum(corner.committed().values()) < sum(corner.ends().values())


def feed_until(corner: Site, there: Callable[[], bool], within_s: float = 60) -> Counter[bytes]:
    """Wait, and publish whenever little is left: the stream is under way however long it takes.

    Returns:
        how many events each key has got meanwhile.
    """
    counted: Counter[bytes] = Counter()

    def fed() -> bool:
        left = sum(corner.ends().values()) - sum(corner.committed().values())
        if left < 4_000:  # some seconds of slow workers
            counted.update(corner.publish(keys(1_000, 500)))
        return there()

    eventually(fed, within_s)
    return counted
