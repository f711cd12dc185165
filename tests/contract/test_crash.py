"""Nothing is lost and nothing is counted twice, whatever happens to a worker."""

import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from tests.contract.count_app import POISON
from tests.contract.harness import PARTITIONS, Site, Worker, expected_outputs, keys, partition_of
from tests.support import eventually

SLOW: dict[str, Any] = {"batch_records": 50, "pause_s": 0.1}


def assert_exact(corner: Site, counted: Counter[bytes]) -> None:
    """Every event is in the changelog once, and was sent."""
    corner.wait_at_rest()
    assert corner.counts() == counted
    assert corner.outputs() == expected_outputs(counted)


def wait_for_progress(corner: Site, events: int) -> None:
    """Wait until some more events are committed, but not all: the stream must be under way."""
    before = sum(corner.committed().values())
    eventually(lambda: sum(corner.committed().values()) >= before + events, 40)
    assert sum(corner.committed().values()) < sum(corner.ends().values())


def kill_thrice(corner: Site, **over: Any) -> tuple[Counter[bytes], dict[str, Worker]]:
    """Kill two workers in turn, each time with more to do than they can have done by then."""
    corner.create()
    counted: Counter[bytes] = Counter()
    workers = {name: corner.worker(data=name, worker_id=name, **over) for name in ("a", "b")}
    for name in ("a", "b", "a"):
        counted += corner.publish(keys(7000, 700))
        wait_for_progress(corner, 500)
        workers[name].kill()
        workers[name] = corner.worker(data=name, worker_id=name, **over)
    assert_exact(corner, counted)
    return counted, workers


def test_kill_9_of_two_workers_in_mid_stream(corner: Site) -> None:
    counted, workers = kill_thrice(corner, **SLOW)
    for worker in workers.values():
        worker.stop()
    recovered = [corner.disk(name)[0] for name in workers]
    assert {**recovered[0], **recovered[1]}.keys() == counted.keys()


def test_a_stopped_process_that_wakes_up_later_undoes_nothing(corner: Site) -> None:
    corner.create()
    gate = corner.directory / "gate"
    counted = corner.publish(keys(2000, 200))
    sleeper = corner.worker(data="a", gate=str(gate))
    eventually(gate.with_suffix(".reached").exists, 30)  # its rows are computed, not yet written
    sleeper.send(signal.SIGSTOP)
    corner.worker(data="b")
    corner.wait_at_rest()
    gate.touch()
    sleeper.send(signal.SIGCONT)
    eventually(lambda: sleeper.said("dropped"), 20)
    counted += corner.publish(keys(1000, 200))
    assert_exact(corner, counted)


def test_a_batch_in_flight_is_dropped_when_its_partition_goes(corner: Site) -> None:
    corner.create()
    gate = corner.directory / "gate"
    counted = corner.publish(keys(400, 40))
    holder = corner.worker(data="a", gate=str(gate))
    eventually(gate.with_suffix(".reached").exists, 30)
    other = corner.worker(data="b", gate=str(gate)).wait_ready()
    assert not corner.counts()
    gate.touch()
    assert_exact(corner, counted)
    assert holder.said("dropped")
    assert not holder.said("is not acked")
    assert other.stop() == 0


def test_a_lost_disk_comes_back_from_the_changelog(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(3000, 300))
    worker = corner.worker(data="lost")
    corner.wait_at_rest()
    worker.kill()
    corner.produce(_aborted(corner), transactional_id=corner.app_id)  # it has holes now
    counted += corner.publish(keys(500, 300))
    worker = corner.worker(data="empty")
    assert_exact(corner, counted)
    worker.stop()
    ends = corner.ends(corner.changelog)
    assert corner.disk("empty") == (counted, {p: end - 1 for p, end in ends.items()})


def test_standbys_hold_every_row_that_actives_hold(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(10_000, 400))
    for name in ("a", "b"):  # the second comes when partitions have rows to hand over
        corner.worker(data=name, standbys=1, depth=1, **SLOW)
        wait_for_progress(corner, 100)
    corner.wait_at_rest()
    ends = {p: end - 1 for p, end in corner.ends(corner.changelog).items()}
    for name in ("a", "b"):
        eventually(partial(corner.holds, name, (counted, ends)), 15)


def test_a_changelog_that_refuses_rows_keeps_the_batch_unacked(corner: Site) -> None:
    corner.create(max_message_bytes="100")
    counted = corner.publish(keys(400, 40))
    worker = corner.worker()
    assert worker.ends() != 0
    assert worker.said("MessageSizeTooLarge")
    assert corner.committed() == dict.fromkeys(range(PARTITIONS), 0)
    rows, reached = corner.disk("w")
    assert rows == {}
    assert set(reached.values()) <= {0}  # the fence, which is no row and small enough
    corner.configure(corner.changelog, cleanup_policy="compact", max_message_bytes="1000000")
    corner.worker()
    assert_exact(corner, counted)


def test_a_handler_that_fails_ends_the_worker_and_acks_nothing_more(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(300, 30))
    worker = corner.worker()
    corner.wait_at_rest()
    before = corner.committed()
    corner.publish([POISON])
    assert worker.ends() != 0
    assert worker.said("a record that the handler cannot stand")
    assert corner.committed() == before
    assert corner.ends()[partition_of(POISON)] == before[partition_of(POISON)] + 1
    assert corner.counts() == counted


def test_a_worker_without_its_changelog_says_so_and_ends(corner: Site) -> None:
    corner.create_topics({corner.source: {}, corner.output: {}})
    worker = corner.worker()
    assert worker.ends() != 0
    assert worker.said(f"topic '{corner.changelog}' does not exist")


def _aborted(corner: Site) -> Callable[[AIOKafkaProducer], Awaitable[None]]:
    async def act(producer: AIOKafkaProducer) -> None:
        await producer.begin_transaction()
        for partition in range(PARTITIONS):
            await producer.send(corner.changelog, b"never", key=b"never", partition=partition)
        await producer.flush()
        await producer.abort_transaction()

    return act
