"""Sending whole batches."""

import asyncio
from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.batch import Flight, PartitionRevoked, flying
from streams.engine.output import Output, partition_of
from streams.engine.packing import RecordTooLarge
from tests.streams.engine.fakes import App, Producer, batch, run


@given(key=st.binary(min_size=1), partitions=st.integers(1, 64))
def test_keys_go_where_every_kafka_client_sends_them(key: bytes, partitions: int) -> None:
    everywhere = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, everywhere, everywhere)


@run
async def test_records_fill_batches_and_receipts_say_where_they_are() -> None:
    producer = Producer()
    receipts = await Output(App(producer), "out").send(2, [(b"key", b"v" * 300)] * 7)
    assert producer.logs == {("out", 2): [3, 3, 1]}
    assert [(receipt.base_offset, receipt.records) for receipt in receipts] == [
        (0, 3),
        (3, 3),
        (6, 1),
    ]


@run
async def test_nothing_to_send_is_sent() -> None:
    producer = Producer()
    output = Output(App(producer), "out")
    assert await output.send(0, []) == []
    await output.send_keyed([])
    assert not producer.logs


@run
async def test_keyed_records_reach_their_partitions_in_order() -> None:
    producer = Producer(partitions=4)
    keys = [b"user-%d" % n for n in range(40)]
    await Output(App(producer), "out").send_keyed([(key, b"v", (("h", b"1"),)) for key in keys])
    expected = {("out", p): sum(partition_of(k, 4) == p for k in keys) for p in range(4)}
    assert {tp: sum(counts) for tp, counts in producer.logs.items()} == expected


@run
async def test_one_record_that_fits_no_batch_is_refused_by_size() -> None:
    output = Output(App(Producer()), "out")
    with pytest.raises(RecordTooLarge, match="more than a batch of 1000 bytes"):
        await output.send(0, [(b"small", b""), (b"key", b"v" * 2000)])


@run
async def test_an_error_of_any_partition_reaches_the_caller() -> None:
    producer = Producer()
    producer.error = OSError("broker says no")
    with pytest.raises(OSError, match="broker says no"):
        await Output(App(producer), "out").send_keyed([(b"a", b""), (b"b", b""), (b"c", b"")])


@run
async def test_an_outdated_batch_sends_nothing() -> None:
    producer = Producer()
    app = App(producer, epoch=1)
    with flying(Flight(batch(1, epoch=0))), pytest.raises(PartitionRevoked):
        await Output(app, "out").send(0, [(b"k", b"v")])
    with flying(Flight(batch(1, epoch=1))):
        await Output(app, "out").send(0, [(b"k", b"v")])
    assert producer.logs == {("out", 0): [1]}


class Slow(Producer):
    """Gives way before it takes a batch, as a producer does whose queue is full."""

    async def send_batch(self, builder: Any, topic: str, *, partition: int) -> Any:
        await asyncio.sleep(0)
        return await super().send_batch(builder, topic, partition=partition)


@run
async def test_batches_of_two_calls_do_not_mix() -> None:
    producer = Slow()
    output = Output(App(producer), "out")
    await asyncio.gather(
        output.send(0, [(b"key", b"v" * 300)] * 7), output.send(0, [(b"key", b"v" * 700)] * 2)
    )
    assert producer.logs == {("out", 0): [3, 3, 1, 1, 1]}


@run
async def test_an_error_is_raised_when_nothing_is_under_way_any_more() -> None:
    producer = Producer()
    producer.gate.clear()
    outcomes: list[asyncio.Future[Any]] = []
    send = producer.send_batch

    async def first_fails(builder: Any, topic: str, *, partition: int) -> Any:
        outcomes.append(await send(builder, topic, partition=partition))
        if len(outcomes) == 1:
            outcomes[0] = asyncio.get_running_loop().create_future()
            outcomes[0].set_exception(OSError("broker says no"))
        return outcomes[-1]

    producer.send_batch = first_fails  # type: ignore[method-assign]
    sending = asyncio.ensure_future(Output(App(producer), "out").send(0, [(b"k", b"v" * 700)] * 2))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(sending), 0.05)
    producer.gate.set()
    with pytest.raises(OSError, match="broker says no"):
        await sending
    assert all(outcome.done() for outcome in outcomes)
