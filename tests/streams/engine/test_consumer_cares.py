"""What the consumer of batches takes care of where Faust's would lose, repeat or leak."""

import asyncio
from collections import deque
from contextlib import nullcontext, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.engine.consumer import Consumer, ConsumerThread, Fetched, RebalanceListener, _Wanted
from tests.streams.engine.fakes import finish, run
from tests.streams.engine.test_transport import OTHER, SOURCE, consumer, poll, records

__all__ = ["consumer"]  # the fixture


def test_holes_fill_no_account_of_fausts(consumer: Consumer) -> None:
    finish(consumer._add_gap(SOURCE, 3, 900))
    assert not consumer._gap[SOURCE]


def test_a_batch_that_comes_again_is_not_taken_for_old(consumer: Consumer) -> None:
    consumer._read_offset[SOURCE] = 10
    poll(consumer, Fetched({SOURCE: records(1, 2)}, consumer.epoch))
    assert consumer._read_offset[SOURCE] is None


def test_nothing_is_delivered_while_the_flow_stands(consumer: Consumer) -> None:
    consumer.flow_active = False
    assert poll(consumer, Fetched({SOURCE: records(1)}, consumer.epoch)) == []
    assert consumer._skipped


def test_partitions_that_nobody_wants_are_not_delivered_but_full_ones_are(
    consumer: Consumer,
) -> None:
    fetched = Fetched({SOURCE: records(1), OTHER: records(1)}, consumer.epoch)
    consumer._buffered_partitions = {OTHER}
    assert [message.tp for message in poll(consumer, fetched, active=set())] == [OTHER]


def test_what_may_be_fetched_is_judged_when_it_comes(consumer: Consumer) -> None:
    active: set[TP] = set()
    wanted = _Wanted(consumer, active)
    assert wanted  # aiokafka takes an empty set for "all"
    assert SOURCE not in wanted
    active.add(SOURCE)
    assert SOURCE in wanted
    consumer.app.rebalancing = True
    assert SOURCE not in wanted


def test_records_carry_the_epoch_of_their_fetch(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetch(*_: Any) -> Any:
        return {SOURCE: records(1)}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    consumer.epoch = 7
    thread = consumer._thread
    assert isinstance(thread, ConsumerThread)
    fetched = finish(thread._fetch_records(None, {SOURCE}))
    assert (fetched.epoch, list(fetched)) == (7, [SOURCE])


@run
async def test_aborted_records_are_not_read(consumer: Consumer) -> None:
    thread: Any = consumer._thread
    made = thread._create_worker_consumer(consumer.app.transport)
    assert made._isolation_level == "read_committed"
    await made.stop()


@run
async def test_connections_are_not_closed_from_another_loop(consumer: Consumer) -> None:
    thread: Any = consumer._thread
    thread._consumer = thread._create_worker_consumer(consumer.app.transport)
    consumer.close()  # as Faust does where a rebalance meets a worker that is stopping
    assert not thread._consumer._closed  # so that the thread still leaves the group
    await thread._consumer.stop()


def test_a_rebalance_begins_with_a_new_epoch(consumer: Consumer) -> None:
    epochs: list[int] = []
    thread = SimpleNamespace(
        consumer=consumer,
        app=SimpleNamespace(on_rebalance_start=lambda: epochs.append(consumer.epoch)),
        on_partitions_revoked=lambda _: epochs.append(consumer.epoch),
    )
    RebalanceListener(thread).on_partitions_revoked([])
    assert epochs == [1, 1]  # before Faust does anything


@run
async def test_seeks_forget_what_is_outstanding(consumer: Consumer) -> None:
    async def moved(*_: object) -> dict[TP, int]:
        return {}

    consumer._seek = moved
    consumer.seek_to_committed = moved
    consumer.assignment = set
    seeks: tuple[Any, ...] = (lambda: consumer.seek(SOURCE, 0), consumer.perform_seek)
    for seek in seeks:
        consumer._deliver(SOURCE, records(1), consumer.epoch)
        assert consumer._outstanding[SOURCE]
        await seek()
        assert not consumer._outstanding[SOURCE]


@run
async def test_partitions_without_a_commit_start_at_their_start(consumer: Consumer) -> None:
    async def committed() -> dict[TP, int]:
        return {SOURCE: 5}

    started: list[TP] = []

    async def seek_to_beginning(*tps: TP) -> None:
        started.extend(tps)

    consumer.seek_to_committed = committed
    consumer.assignment = lambda: {SOURCE, OTHER}
    consumer._thread = SimpleNamespace(seek_to_beginning=seek_to_beginning)
    await consumer.perform_seek()
    assert started == [OTHER]


@run
async def test_a_revocation_commits_first_and_forgets_then(consumer: Consumer) -> None:
    done: list[str] = []

    async def commit() -> None:
        assert consumer._outstanding[SOURCE]
        done.append("commit")

    async def revoked(_: set[TP]) -> None:
        done.append("revoked")

    consumer._deliver(SOURCE, records(1), consumer.epoch)
    consumer._buffered_partitions = {SOURCE, OTHER}
    consumer.commit = commit
    consumer._on_partitions_revoked = revoked
    await consumer.on_partitions_revoked({SOURCE})
    assert done == ["commit", "revoked"]
    assert SOURCE not in consumer._outstanding
    assert not consumer._buffered_partitions


@run
async def test_a_consumer_that_stops_has_committed_and_does_not_try_again(
    consumer: Consumer,
) -> None:
    consumer._stopped.set()  # its thread takes no calls any more: a commit would wait in vain
    consumer._outstanding[SOURCE] = deque()
    consumer.commit = lambda: pytest.fail("asked to commit")
    await consumer.on_partitions_revoked({SOURCE})
    assert SOURCE not in consumer._outstanding


@run
@pytest.mark.parametrize("deaf", [False, True])  # Faust's takes a cancel for another commit's
async def test_a_commit_that_hangs_does_not_hold_a_rebalance_up(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, *, deaf: bool
) -> None:
    never = asyncio.Event()

    async def commit() -> None:
        with suppress(asyncio.CancelledError) if deaf else nullcontext():
            await never.wait()
        await never.wait()

    monkeypatch.setattr("streams.engine.consumer.COMMIT_ON_REVOKE_S", 0.01)
    consumer._outstanding[SOURCE] = deque()
    consumer.commit = commit
    await asyncio.wait_for(consumer.on_partitions_revoked({SOURCE}), 5)
    assert SOURCE not in consumer._outstanding


@pytest.mark.parametrize("recovering", [False, True])
def test_a_buffer_with_room_fetches_again_unless_tables_recover(
    consumer: Consumer, *, recovering: bool
) -> None:
    consumer._active_partitions = set()
    consumer._buffered_partitions = {SOURCE}
    consumer.app.rebalancing = recovering
    consumer.on_buffer_drop(SOURCE)
    assert consumer._active_partitions == (set() if recovering else {SOURCE})
    assert not consumer._buffered_partitions


@run
@pytest.mark.parametrize("fault", ["waits", "cancelled", "fails"])
async def test_a_consumer_that_cannot_leave_in_order_keeps_no_worker_from_ending(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async def stop() -> None:
        if fault == "waits":
            await asyncio.Event().wait()
        raise asyncio.CancelledError if fault == "cancelled" else KafkaError("no answer")

    monkeypatch.setattr("streams.engine.consumer.LEAVE_WITHIN_S", 0.05)
    thread: Any = consumer._thread
    thread._consumer = SimpleNamespace(stop=stop)
    await asyncio.wait_for(thread.on_thread_stop(), 5)


@run
async def test_a_position_is_told_without_waiting(consumer: Consumer) -> None:
    thread: Any = consumer._thread
    thread._consumer = made = thread._create_worker_consumer(consumer.app.transport)
    assert consumer.known_position(SOURCE) is None  # nothing is subscribed yet
    made.assign([TopicPartition(*SOURCE)])
    assert consumer.known_position(SOURCE) is None  # ours, not sought
    made._subscription.subscription.assignment.state_value(TopicPartition(*SOURCE)).seek(7)
    assert consumer.known_position(SOURCE) == 7
    assert consumer.known_position(OTHER) is None  # not ours
    await made.stop()


@run
async def test_a_fetch_that_is_cancelled_as_a_buffer_gets_room_ends(consumer: Consumer) -> None:
    consumer.flow_active = True
    consumer._active_partitions = set()  # all buffers are full
    fetching = asyncio.ensure_future(consumer._wait_next_records(5.0))
    await asyncio.sleep(0.01)
    consumer.flow_active = False  # as where a worker stops
    consumer._active_partitions = {SOURCE}
    consumer._room.set()  # the wait is over, and whoever waited has not heard of it
    fetching.cancel()
    done, _ = await asyncio.wait({fetching}, timeout=1)
    fetching.cancel()
    assert done
    assert fetching.cancelled()
