"""The table's order of writes: staged, in the changelog, on disk; or nowhere."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.exceptions import PartitionsMismatch
from faust.types import TP

from streams import engine
from streams.engine.batch import Flight, PartitionRevoked, flying
from streams.engine.fence import Writer
from streams.engine.shard import CommitAbandoned
from streams.engine.table import BatchTable
from tests.streams.engine.fakes import App, Producer, batch, run

CHANGELOG = "counts"


class Bench:
    """A real table and store; a fake worker around them."""

    def __init__(self, directory: Path) -> None:
        real = faust.App(
            "bench", broker="batch://nowhere", **engine.app_options(data_dir=directory)
        )
        self.producer = Producer()
        self.worker = App(self.producer, assigned={TP(CHANGELOG, p) for p in (0, 1)})
        memory = engine.Memory(cache_mb=8, write_buffer_mb=4)
        self.table: BatchTable = engine.table(
            real, "counts", CHANGELOG, memory, linger_s=60.0, waiting_mb=1
        )
        self.store = self.table.data
        for partition in (0, 1):
            assert self.store.persisted_offset(TP(CHANGELOG, partition)) == -1
        self.table.app = self.worker
        self.take()

    def take(self) -> None:
        """Become the writer of the changelog in this epoch, without the record that fences it."""
        writers = {p: Writer(self.worker, CHANGELOG, p) for p in (0, 1)}
        self.table._changelog._writers = writers

    def disk(self, partition: int = 0) -> tuple[list[tuple[bytes, bytes]], int]:
        """Return the rows and the offset that a crash now would leave."""
        return (
            self.table.scan(partition, None, 100),
            self.store.persisted_offset(TP(CHANGELOG, partition)),
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def start(commit: Any) -> "asyncio.Task[None]":
    return asyncio.create_task(commit)


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


@run
async def test_later_batches_read_staged_rows_before_anything_is_stored(bench: Bench) -> None:
    table = bench.table
    await table.commit(0, {b"a": b"1", b"b": b"1", b"c": b"1"})
    table.stage(0, {b"a": b"2", b"b": None})
    assert table.get_many(0, [b"x", b"a", b"b", b"c", b"a"]) == [None, b"2", None, b"1", b"2"]
    assert table.get_many(1, [b"a"]) == [None]
    assert bench.disk() == ([(b"a", b"1"), (b"b", b"1"), (b"c", b"1")], 2)


@run
async def test_a_commit_stores_the_changelog_first_and_its_last_offset_with_the_rows(
    bench: Bench,
) -> None:
    table = bench.table
    bench.producer.gate.clear()
    rows = {b"%03d" % n: b"v" * 300 for n in range(7)}  # more than one batch
    table.stage(0, rows)
    committing = start(table.commit(0, rows))
    await settle()
    assert bench.disk() == ([], -1)
    bench.producer.gate.set()
    await committing
    assert bench.producer.logs == {(CHANGELOG, 0): [3, 3, 1]}
    assert bench.disk() == (sorted(rows.items()), 6)
    assert table.get_many(0, list(rows)) == list(rows.values())


@run
async def test_commits_happen_in_the_order_of_staging_whoever_comes_first(bench: Bench) -> None:
    table = bench.table
    first, second = {b"k": b"1", b"a": b"1"}, {b"k": b"2"}
    table.stage(0, first)
    table.stage(0, second)
    early = start(table.commit(0, second))
    await settle()
    assert bench.disk() == ([], -1)
    await table.commit(0, first)
    await early
    assert bench.disk() == ([(b"a", b"1"), (b"k", b"2")], 1)  # stored together, each row once


@run
async def test_an_earlier_commit_leaves_newer_staged_rows_readable(bench: Bench) -> None:
    table = bench.table
    first, second = {b"k": b"1", b"a": b"1"}, {b"k": b"2"}
    table.stage(0, first)
    table.stage(0, second)
    await table.commit(0, first)
    assert table.get_many(0, [b"k", b"a"]) == [b"2", b"1"]
    assert bench.disk() == ([(b"a", b"1"), (b"k", b"1")], 1)


@run
async def test_a_failed_changelog_leaves_the_disk_alone_and_stops_what_builds_on_it(
    bench: Bench,
) -> None:
    table = bench.table
    bench.producer.error = OSError("broker says no")
    first, second = {b"k": b"1"}, {b"k": b"2"}
    table.stage(0, first)
    table.stage(0, second)
    later = start(table.commit(0, second))
    with pytest.raises(OSError, match="broker says no"):
        await table.commit(0, first)
    bench.producer.error = None
    with pytest.raises(CommitAbandoned, match="partition 0: an earlier commit failed"):
        await later
    assert bench.disk() == ([], -1)
    await table.commit(1, {b"other": b"1"})  # other partitions are none the worse


@run
async def test_a_rebalance_during_the_send_voids_rows_and_disk_write(bench: Bench) -> None:
    table = bench.table
    bench.producer.gate.clear()
    rows = {b"k": b"1"}
    table.stage(0, rows)
    committing = start(table.commit(0, rows))
    await settle()
    bench.worker.epoch += 1
    bench.producer.gate.set()
    with pytest.raises(PartitionRevoked):
        await committing
    assert bench.disk() == ([], -1)
    assert table.get_many(0, [b"k"]) == [None]
    with pytest.raises(PartitionRevoked, match="being assigned anew"):
        await table.commit(0, {b"k": b"2"})
    bench.take()
    bench.worker.epoch += 1
    with pytest.raises(PartitionRevoked, match="being assigned anew"):
        await table.commit(0, {b"k": b"2"})  # taken in an epoch that is over
    bench.take()
    bench.worker.epoch += 0
    assert bench.disk() == ([], -1)


@run
async def test_a_batch_of_an_earlier_epoch_may_neither_read_nor_write(bench: Bench) -> None:
    table = bench.table
    bench.worker.epoch = 3
    with flying(Flight(batch(1, epoch=2))):
        with pytest.raises(PartitionRevoked):
            table.get_many(0, [b"k"])
        with pytest.raises(PartitionRevoked):
            table.stage(0, {b"k": b"1"})
        with pytest.raises(PartitionRevoked):
            await table.commit(0, {b"k": b"1"})
    assert not bench.producer.logs


@run
async def test_a_partition_of_somebody_else_is_refused(bench: Bench) -> None:
    with pytest.raises(PartitionRevoked, match="partition 2 is not held"):
        bench.table.get_many(2, [b"k"])
    bench.worker.assigned.remove(TP(CHANGELOG, 1))  # a standby: held, but not ours to write
    with pytest.raises(PartitionRevoked, match="partition 1: not ours"):
        await bench.table.commit(1, {b"k": b"1"})


@run
async def test_a_batch_writes_its_own_partition_only(bench: Bench) -> None:
    with (
        flying(Flight(batch(1, partition=1))),
        pytest.raises(PartitionsMismatch, match="may not write to partition 0"),
    ):
        bench.table.stage(0, {b"k": b"1"})


@run
async def test_staging_lets_the_next_batch_start(bench: Bench) -> None:
    flight = Flight(batch(1))
    with flying(flight):
        bench.table.stage(0, {b"k": b"1"})
    assert flight.staged.done()


@run
async def test_a_stored_batch_whose_offset_is_lost_moves_no_offset(bench: Bench) -> None:
    await bench.table.commit(0, {b"a": b"1"})

    async def answer(*_: Any, **__: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result(SimpleNamespace(offset=-1))  # DuplicateSequenceNumber
        return future

    bench.producer.send_batch = answer  # type: ignore[method-assign]
    await bench.table.commit(0, {b"b": b"1"})
    assert bench.disk() == ([(b"a", b"1"), (b"b", b"1")], 0)


@run
async def test_a_commit_for_later_is_owed_by_its_batch_and_stored_with_others(
    bench: Bench,
) -> None:
    table = bench.table
    flights = [Flight(batch(n)) for n in (1, 2)]
    for number, flight in enumerate(flights):
        with flying(flight):
            await table.commit_later(0, {b"k": b"%d" % number})
    assert bench.disk() == ([], -1)
    assert table.get_many(0, [b"k"]) == [b"1"]
    await table.commit(0, {b"other": b"1"})  # waits for nobody, nor lets the others wait
    assert [owed.done() for flight in flights for owed in flight.owed] == [True, True]
    assert bench.disk() == ([(b"k", b"1"), (b"other", b"1")], 1)


@run
async def test_outside_of_a_batch_a_commit_for_later_is_one_for_now(bench: Bench) -> None:
    await bench.table.commit_later(0, {b"k": b"1"})
    assert bench.disk() == ([(b"k", b"1")], 0)


@run
async def test_a_batch_that_finds_too_much_waiting_waits_for_the_disk(bench: Bench) -> None:
    with flying(Flight(batch(1))):
        await bench.table.commit_later(0, {b"%04d" % n: b"v" * 400 for n in range(3000)})
    assert bench.disk()[1] == 2999


@run
async def test_a_table_that_stops_leaves_owed_batches_unacked(bench: Bench) -> None:
    flight = Flight(batch(1))
    with flying(flight):
        await bench.table.commit_later(0, {b"k": b"1"})
    await asyncio.sleep(0)
    await bench.table.on_stop()
    assert flight.owed[0].cancelled()
    assert bench.disk() == ([], -1)


@run
async def test_a_commit_of_nothing_sends_nothing(bench: Bench) -> None:
    await bench.table.commit(0, {})
    assert not bench.producer.logs
    assert bench.disk() == ([], -1)


@run
async def test_single_writes_past_the_batches_are_refused(bench: Bench) -> None:
    with pytest.raises(TypeError, match="written by stage and commit"):
        bench.table[b"k"] = b"v"
    with pytest.raises(TypeError, match="instead of del"):
        del bench.table[b"k"]
    with pytest.raises(ValueError, match="reserved"):
        bench.table.stage(0, {b"\x00headrace\x00owner": b"mine"})


@run
async def test_an_assignment_fences_and_leaves_a_whole_disk_nothing_to_recover(
    bench: Bench,
) -> None:
    table, mine = bench.table, {TP(CHANGELOG, p) for p in (0, 1)}
    await table.on_rebalance(mine, set(), mine)
    assert bench.producer.logs == {(CHANGELOG, 0): [1], (CHANGELOG, 1): [1]}
    assert (bench.disk(0), bench.disk(1)) == (([], 0), ([], 0))
    await table.commit(0, {b"k": b"1"})
    bench.producer.logs[CHANGELOG, 0].append(3)  # somebody else's rows, not on this disk
    await table.on_rebalance(mine, set(), set())
    assert (bench.disk(0), bench.disk(1)) == (([(b"k", b"1")], 1), ([], 1))


@run
async def test_a_standby_fences_nobody(bench: Bench) -> None:
    bench.worker.assigned = {TP(CHANGELOG, 0)}
    await bench.table.on_rebalance({TP(CHANGELOG, p) for p in (0, 1)}, set(), set())
    assert list(bench.producer.logs) == [(CHANGELOG, 0)]
