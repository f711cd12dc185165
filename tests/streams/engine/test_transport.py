"""Which offset a consumer of batches commits, and what it delivers."""

import asyncio
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import TP, Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import engine
from streams.engine.consumer import Consumer, Fetched
from streams.engine.producer import Producer
from streams.engine.transport import Transport
from tests.streams.engine.fakes import Record, finish, run

SOURCE = TP("source", 0)
OTHER = TP("source", 1)


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Consumer]:
    app = faust.App("unit", broker="batch://nowhere", **engine.app_options(data_dir=tmp_path))
    app.topics._acking_topics.add("source")
    made = app.consumer
    assert isinstance(made, Consumer)
    thread_loop = made._thread.thread_loop
    made.highwater = lambda _: 0
    made._active_partitions = {SOURCE, OTHER}
    yield made
    thread_loop.close()


def poll(consumer: Consumer, fetched: Fetched, active: set[TP] | None = None) -> list[Message]:
    """Return what one poll delivers."""

    async def found(timeout: float) -> tuple[Fetched, set[TP]]:  # noqa: ASYNC109  Faust's
        del timeout
        return fetched, consumer._active_partitions if active is None else active

    async def deliver() -> list[Message]:
        return [message async for _, message in consumer.getmany(1.0)]

    consumer._wait_next_records = found  # type: ignore[method-assign]
    return finish(deliver())


def records(*offsets: int) -> list[Record]:
    return [Record(offset) for offset in offsets]


def test_a_poll_delivers_one_batch_per_partition(consumer: Consumer) -> None:
    first, second = poll(
        consumer, Fetched({SOURCE: records(3, 4, 9), OTHER: records(1)}, consumer.epoch)
    )
    assert (first.offset, first.tp, str(first.value)) == (9, SOURCE, "source[0] 3..9")
    assert [record.offset for record in first.value.records] == [3, 4, 9]
    assert (second.value.first_offset, second.value.last_offset, len(second.value)) == (1, 1, 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ends=st.lists(st.integers(1, 5), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    holes=st.integers(0, 4),
)
def test_what_is_committed_is_the_longest_acked_prefix_whatever_the_holes(
    consumer: Consumer, ends: list[int], order: Any, holes: int
) -> None:
    consumer._outstanding.clear()
    lasts, offset = [], -1
    for length in ends:  # batches of these lengths, with holes before and inside
        offset += 1 + holes
        batch = records(*range(offset, offset + 2 * length, 2))
        offset = batch[-1].offset
        consumer._deliver(SOURCE, batch, consumer.epoch)
        lasts.append(offset)
    messages = list(consumer._outstanding[SOURCE])
    acked: set[int] = set()
    committed = None
    for message in order.sample(messages, len(messages)):
        message.incref()
        message.ack(consumer)
        acked.add(message.offset)
        prefix = [last for n, last in enumerate(lasts) if acked.issuperset(lasts[: n + 1])]
        new = consumer._new_offset(SOURCE)
        committed = committed if new is None else new
        assert committed == (prefix[-1] + 1 if prefix else None)
    assert consumer._new_offset(SOURCE) is None
    assert not consumer._outstanding[SOURCE]


def test_an_outdated_message_acks_nothing_of_its_redelivery(consumer: Consumer) -> None:
    (old,) = poll(consumer, Fetched({SOURCE: records(1, 2)}, consumer.epoch))
    consumer._outstanding = type(consumer._outstanding)(deque)  # as a rebalance does
    (new,) = poll(consumer, Fetched({SOURCE: records(1, 2)}, consumer.epoch))
    for message in (old, new):
        assert consumer._new_offset(SOURCE) is None
        message.incref()
        message.ack(consumer)
    assert consumer._new_offset(SOURCE) == 3


def test_records_of_an_epoch_that_is_over_are_not_delivered(consumer: Consumer) -> None:
    fetched = Fetched({SOURCE: records(1)}, consumer.epoch)
    consumer.epoch += 1
    assert poll(consumer, fetched) == []
    assert not consumer._outstanding[SOURCE]


def test_a_rebalance_between_two_deliveries_ends_the_poll(consumer: Consumer) -> None:

    async def deliver() -> int:
        async def found(_: float) -> Any:
            return Fetched({SOURCE: records(1), OTHER: records(1)}, 0), {SOURCE, OTHER}

        consumer._wait_next_records = found  # type: ignore[method-assign, assignment]
        delivered = 0
        async for _ in consumer.getmany(1.0):
            delivered += 1
            consumer.epoch += 1
        return delivered

    assert finish(deliver()) == 1


def test_what_comes_while_tables_recover_is_sought_again_afterwards(consumer: Consumer) -> None:
    sought = []

    async def perform_seek() -> None:
        sought.append(True)
        consumer._skipped = False

    consumer.perform_seek = perform_seek  # type: ignore[method-assign]
    fetched = Fetched({SOURCE: records(1)}, consumer.epoch)
    consumer.app.rebalancing = True
    assert poll(consumer, fetched) == []
    assert poll(consumer, Fetched({}, consumer.epoch)) == []
    assert sought == []  # recovery is not over
    consumer.app.rebalancing = False
    assert len(poll(consumer, fetched)) == 1
    assert sought == [True]


@run
async def test_a_poll_that_finds_all_buffers_full_goes_on_when_one_has_room(
    consumer: Consumer,
) -> None:
    fetched = Fetched({SOURCE: records(1)}, 0)

    async def getmany(active: set[TP], timeout: float) -> Fetched:  # noqa: ASYNC109  Faust's
        assert (active, timeout) == ({SOURCE}, 30.0)
        return fetched

    consumer._thread.getmany = getmany
    for tp in (SOURCE, OTHER):
        consumer.on_buffer_full(tp)
    polling = asyncio.ensure_future(consumer._wait_next_records(30.0))
    await asyncio.sleep(0.01)
    assert not polling.done()
    consumer.on_buffer_drop(SOURCE)
    assert (await asyncio.wait_for(polling, 10))[0] is fetched  # before the poll's time is up
    consumer.on_buffer_full(SOURCE)
    assert await consumer._wait_next_records(0.01) == ({}, set())


def test_the_producer_is_idempotent_and_carries_the_credentials(tmp_path: Path) -> None:
    credentials = faust.SASLCredentials(username="u", password="p", mechanism="SCRAM-SHA-512")
    app = faust.App(
        "unit",
        broker="batch://a:1;b:2",
        **engine.app_options(data_dir=tmp_path, credentials=credentials, compression="zstd"),
    )
    assert isinstance(app.transport, Transport)
    producer = app.producer
    assert isinstance(producer, Producer)
    settings = producer._settings_default() | producer._settings_auth() | producer._settings_extra()
    assert settings["enable_idempotence"] is True
    assert settings["acks"] == "all"
    assert settings["compression_type"] == "zstd"
    assert settings["bootstrap_servers"] == ["a:1", "b:2"]
    assert settings["sasl_mechanism"] == "SCRAM-SHA-512"
    assert settings["sasl_plain_username"] == "u"
