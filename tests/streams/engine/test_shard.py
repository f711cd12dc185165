"""Rows that wait are stored together, each once, in the order of their batches."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.shard import TOLD_AT_ONCE, CommitAbandoned, Rows, Shard, Turns
from tests.streams.engine.fakes import finish, run

LONG_S = 86_400.0  # so that no turn comes by chance while a test runs
BIG = 1 << 20


class Disk:
    """Stores groups, once `gate` is open; fails where told to."""

    def __init__(self) -> None:
        self.groups: list[Mapping[bytes, bytes | None]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def store(self, rows: Rows) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.groups.append(rows)

    def shard(self, linger_s: float = 0.0, most_bytes: int = BIG) -> Shard:
        return Shard("users, partition 0", 0, self.store, Turns(linger_s, 0), most_bytes)

    def rows(self) -> dict[bytes, bytes | None]:
        return {key: value for group in self.groups for key, value in group.items()}


def hand_over(shard: Shard, rows: Rows, *, urgent: bool = False) -> "asyncio.Future[None]":
    shard.add(rows)
    return shard.hand_over(rows, urgent=urgent)


def hand_over_many(shard: Shard, batches: int) -> "list[asyncio.Future[None]]":
    """Hand over so many batches that wait, and one more for which all are stored at once."""
    done = [hand_over(shard, {b"%d" % n: b"x"}) for n in range(batches)]
    return [*done, hand_over(shard, {b"last": b"x"}, urgent=True)]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@run
async def test_what_waits_while_others_are_stored_becomes_one_group() -> None:
    disk = Disk()
    shard = disk.shard()
    disk.gate.clear()
    done = [hand_over(shard, {b"k": b"%d" % n, b"only%d" % n: b"x"}) for n in range(4)]
    await settle()
    done.append(hand_over(shard, {b"k": b"4"}))
    disk.gate.set()
    await asyncio.gather(*done)
    assert disk.groups[0][b"k"] == b"3"
    assert disk.groups[1:] == [{b"k": b"4"}]
    assert not shard.newest


@run
async def test_lingering_rows_wait_for_an_urgent_one() -> None:
    disk = Disk()
    shard = disk.shard(LONG_S)
    first = hand_over(shard, {b"a": b"1"})
    await settle()
    assert not first.done()
    await hand_over(shard, {b"a": b"2", b"b": None}, urgent=True)
    assert first.done()
    assert disk.groups == [{b"a": b"2", b"b": None}]


@run
async def test_others_get_their_turn_while_many_batches_hear_that_they_are_stored() -> None:
    """A thousand batches that wake up at once would keep every new event waiting."""
    disk = Disk()
    done = hand_over_many(disk.shard(LONG_S), 10 * TOLD_AT_ONCE)
    told = [0]
    while told[-1] < len(done):
        await asyncio.sleep(0)
        told.append(sum(one.done() for one in done))
    assert max(later - earlier for earlier, later in pairwise(told)) <= TOLD_AT_ONCE


@run
async def test_batches_that_have_not_heard_yet_when_the_worker_leaves_are_cancelled() -> None:
    disk = Disk()
    shard = disk.shard(LONG_S)
    done = hand_over_many(shard, 2 * TOLD_AT_ONCE)
    await done[0]
    await shard.close()
    assert not done[0].cancelled()
    assert done[-1].cancelled()


@run
async def test_lingering_ends_by_itself() -> None:
    disk = Disk()
    await asyncio.wait_for(hand_over(disk.shard(0.01), {b"a": b"1"}), 10)
    assert disk.groups == [{b"a": b"1"}]


@given(st.floats(0, 1e9), st.floats(0.01, 100), st.integers(0, 10_000))
def test_a_turn_comes_within_the_time_that_rows_may_wait(
    now: float, every_s: float, partition: int
) -> None:
    assert 0 < Turns(every_s, partition).until_next(now) <= every_s


@pytest.mark.parametrize("partitions", [2, 4, 8, 64])
def test_turns_of_partitions_lie_apart(partitions: int) -> None:
    turns = sorted(Turns(1.0, partition).until_next(0.0) for partition in range(partitions))
    assert min(later - earlier for earlier, later in pairwise(turns)) > 0.35 / partitions


@run
async def test_too_many_bytes_linger_no_longer() -> None:
    disk = Disk()
    shard = disk.shard(LONG_S, most_bytes=1000)
    done = hand_over(shard, {b"a": b"v" * 600})
    assert not shard.full
    again = hand_over(shard, {b"a": b"w" * 600})  # the same row: no more than before
    await settle()
    assert not done.done()
    last = hand_over(shard, {b"b": b"v" * 600})
    assert shard.full
    await asyncio.wait_for(asyncio.gather(done, again, last), 10)
    assert disk.groups == [{b"a": b"w" * 600, b"b": b"v" * 600}]


@run
async def test_nothing_passes_a_batch_that_is_not_handed_over() -> None:
    disk = Disk()
    shard = disk.shard()
    early: Rows = {b"k": b"1"}
    shard.add(early)
    later = hand_over(shard, {b"k": b"2"}, urgent=True)
    await settle()
    assert (disk.groups, later.done()) == ([], False)
    assert shard.newest == {b"k": b"2"}
    shard.hand_over(early, urgent=False)
    await later
    assert disk.groups == [{b"k": b"2"}]


@run
async def test_a_failure_names_itself_once_and_stops_everything_built_on_it() -> None:
    disk = Disk()
    shard = disk.shard()
    disk.gate.clear()
    disk.error = OSError("broker says no")
    first = hand_over(shard, {b"k": b"1"})
    await settle()
    second = hand_over(shard, {b"k": b"2"})
    disk.gate.set()
    with pytest.raises(OSError, match="broker says no"):
        await first
    with pytest.raises(CommitAbandoned, match="users, partition 0: an earlier commit failed"):
        await second
    disk.error = None
    with pytest.raises(CommitAbandoned):
        await hand_over(shard, {b"k": b"3"})
    assert disk.groups == []


@run
async def test_closing_gives_up_what_is_not_stored() -> None:
    disk = Disk()
    shard = disk.shard(LONG_S)
    waiting = hand_over(shard, {b"k": b"1"})
    await settle()
    await shard.close()
    assert waiting.cancelled()
    assert disk.groups == []
    await shard.close()


KEYS = st.sampled_from([b"a", b"b", b"c"])
ROWS = st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=3)


@given(
    batches=st.lists(st.tuples(ROWS, st.booleans(), st.integers(0, 3)), max_size=12),
    order=st.randoms(),
)
def test_whoever_is_ready_first_readers_see_the_newest_and_the_disk_ends_with_it(
    batches: list[tuple[dict[bytes, bytes | None], bool, int]], order: Any
) -> None:
    expected: dict[bytes, bytes | None] = {}

    async def scenario() -> None:
        disk = Disk()
        shard = disk.shard(0.001)
        for rows, _, _ in batches:
            shard.add(rows)
            expected.update(rows)
        assert shard.newest == expected
        done = []
        for rows, urgent, turns in order.sample(batches, len(batches)):
            done.append(shard.hand_over(rows, urgent=urgent))
            for _ in range(turns):
                await asyncio.sleep(0)
            assert {**disk.rows(), **shard.newest} == expected
        await asyncio.gather(*done)
        assert disk.rows() == expected
        assert not shard.newest

    finish(scenario())
