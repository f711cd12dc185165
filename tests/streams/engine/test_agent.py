"""Batches in order, pipelined, acked only when handled."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import pytest

from streams.engine.agent import consume
from streams.engine.batch import Batch, PartitionRevoked, current_flight
from tests.streams.engine.fakes import App, Producer, Stream, batch, run

Handler = Callable[[Batch], Awaitable[None]]


class Running:
    """`consume` at work."""

    def __init__(self, stream: Stream, handle: Handler, depth: int = 4) -> None:
        self.task = asyncio.create_task(consume(stream, handle, depth))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def stage() -> None:
    """Do what BatchTable.stage does for the next batch."""
    flight = current_flight()
    assert flight is not None
    flight.let_next_start()


@run
async def test_batches_overlap_only_from_stage_on_and_no_deeper_than_asked() -> None:
    batches = [batch(n) for n in range(6)]
    stream = Stream(App(Producer()), batches)
    seen: list[tuple[str, int]] = []
    gate = asyncio.Event()

    async def handle(one: Batch) -> None:
        seen.append(("computes", one.first_offset))
        await asyncio.sleep(0)  # computing may await, and still nobody else computes
        seen.append(("staged", one.first_offset))
        stage()
        await gate.wait()

    async with Running(stream, handle, depth=3):
        await settle()
        assert seen == [(what, n) for n in range(3) for what in ("computes", "staged")]
        assert stream.acked == []
        gate.set()
        await settle()
        assert seen == [(what, n) for n in range(6) for what in ("computes", "staged")]
        assert set(stream.acked) == set(batches)


@run
async def test_without_stage_batches_run_one_by_one() -> None:
    stream = Stream(App(Producer()), [batch(n) for n in range(3)])
    running = 0

    async def handle(_: Batch) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        running -= 1

    async with Running(stream, handle):
        await settle()
        assert len(stream.acked) == 3


def owe() -> "asyncio.Future[None]":
    """Do what BatchTable.commit_later does to the batch."""
    flight = current_flight()
    assert flight is not None
    owed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    flight.owed.append(owed)
    return owed


@run
async def test_what_a_batch_is_owed_holds_its_ack_but_neither_its_slot_nor_its_records() -> None:
    batches = [batch(n) for n in range(3)]
    stream = Stream(App(Producer()), batches)
    owed = []

    async def handle(_: Batch) -> None:
        stage()
        owed.append(owe())

    async with Running(stream, handle, depth=1):
        await settle()
        assert len(owed) == 3
        assert stream.acked == []
        assert [one.records for one in batches] == [()] * 3
        assert [str(one) for one in batches] == [f"source[0] {n}..{n}" for n in range(3)]
        owed[0].set_result(None)
        await settle()
        assert stream.acked == batches[:1]
        for one in owed[1:]:
            one.set_result(None)
        await settle()
        assert stream.acked == batches


@run
async def test_what_is_owed_and_fails_crashes_the_worker_like_the_handler_itself() -> None:
    app = App(Producer())
    stream = Stream(app, [batch(0), batch(1)])
    owed = []

    async def handle(_: Batch) -> None:
        stage()
        owed.append(owe())

    async with Running(stream, handle):
        await settle()
        owed[0].set_exception(ValueError("not stored"))
        await settle()
        assert [str(error) for error in app.crashed] == ["not stored"]
        assert stream.acked == []
        assert owed[1].cancelled()


@run
async def test_a_failure_acks_nothing_more_and_crashes_the_worker() -> None:
    batches = [batch(n) for n in range(5)]
    app = App(Producer())
    stream = Stream(app, batches)
    handled = []

    async def handle(one: Batch) -> None:
        handled.append(one)
        stage()
        await asyncio.sleep(0)
        if one is batches[1]:
            raise ValueError("no good")
        await asyncio.sleep(0.01)

    async with Running(stream, handle):
        await asyncio.sleep(0.05)
        assert [str(error) for error in app.crashed] == ["no good"]
        assert stream.acked == []  # those in flight were cancelled with it
        assert batches[4] not in handled


@run
async def test_what_fails_after_a_rebalance_is_dropped_and_the_rest_goes_on() -> None:
    batches = [batch(0, epoch=0), batch(1, epoch=1)]
    app = App(Producer(), epoch=0)
    stream = Stream(app, batches)

    async def handle(one: Batch) -> None:
        if one is batches[0]:
            app.epoch = 1
            raise PartitionRevoked("gone")

    async with Running(stream, handle):
        await settle()
        assert stream.acked == [batches[1]]
        assert app.crashed == []


@run
async def test_a_revocation_that_nobody_announced_is_an_error() -> None:
    app = App(Producer())

    async def handle(_: Batch) -> None:
        raise PartitionRevoked("but the epoch is the same: it would not be delivered again")

    async with Running(Stream(app, [batch(0)]), handle):
        await settle()
        assert len(app.crashed) == 1


@run
async def test_a_worker_that_stops_leaves_batches_without_a_crash() -> None:
    app = App(Producer(), should_stop=True)

    async def handle(_: Batch) -> None:
        raise PartitionRevoked("the store is closed already")

    stream = Stream(app, [batch(0)])
    async with Running(stream, handle):
        await settle()
        assert (app.crashed, stream.acked) == ([], [])


@run
async def test_a_depth_of_none_is_refused() -> None:
    async def handle(_: Batch) -> None: ...

    with pytest.raises(ValueError, match="depth is 0"):
        await consume(Stream(App(Producer()), []), handle, 0)
