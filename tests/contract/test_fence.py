"""One writer per changelog partition: what an earlier owner still holds comes too late."""

import signal
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from streams.engine.fence import Writer
from tests.contract.harness import PARTITIONS, Site, expected_outputs, keys
from tests.support import eventually


def test_rows_that_a_stopped_process_had_handed_over_undo_nothing(corner: Site) -> None:
    corner.create()
    hold = corner.directory / "hold"
    counted = corner.publish(keys(2000, 200))
    sleeper = corner.worker(data="a", hold=str(hold))
    eventually(hold.with_suffix(".reached").exists, 30)  # its producer has rows to send
    sleeper.send(signal.SIGSTOP)
    heir = corner.worker(data="b")
    corner.wait_at_rest()
    counted += corner.publish(keys(1000, 200))  # newer rows of the same keys
    corner.wait_at_rest()
    hold.touch()
    sleeper.send(signal.SIGCONT)  # now it sends what it had
    eventually(hold.with_suffix(".answered").exists, 20)
    assert corner.counts() == counted
    eventually(lambda: sleeper.said("is written by another worker"), 20)
    counted += corner.publish(keys(1000, 200))
    corner.wait_at_rest()
    assert corner.counts() == counted
    assert corner.outputs() == expected_outputs(counted)
    assert [worker.process.poll() for worker in (sleeper, heir)] == [None, None]
    for worker in (sleeper, heir):
        worker.stop()
    corner.worker(data="empty")  # and so says whoever reads the changelog from its start
    counted += corner.publish(keys(200, 200))
    corner.wait_at_rest()
    assert corner.counts() == counted


def test_a_worker_that_comes_back_to_a_whole_disk_has_nothing_to_recover(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(500, 50))
    for _ in range(2):
        worker = corner.worker().wait_ready()
        corner.wait_at_rest()
        assert worker.stop() == 0
    assert not worker.said("Restoring state from changelog topics")
    ends = corner.ends(corner.changelog)
    assert corner.disk("w") == (counted, {p: ends[p] - 1 for p in range(PARTITIONS)})


def test_the_broker_refuses_an_earlier_writer_from_the_next_ones_first_record(
    corner: Site,
) -> None:
    corner.create()

    async def act(producer: AIOKafkaProducer) -> None:
        app = SimpleNamespace(
            consumer=SimpleNamespace(epoch=0),
            producer=SimpleNamespace(client=producer),
            conf=SimpleNamespace(id=corner.app_id, broker_request_timeout=10.0),
        )

        async def send(writer: Writer) -> None:
            batch = producer.create_batch()
            batch.append(key=b"k", value=b"v", timestamp=None)
            writer.sign(batch)
            await (await producer.send_batch(batch, corner.changelog, partition=0))

        first, second = (Writer(app, corner.changelog, 0) for _ in range(2))
        await first.register()
        await send(first)
        await first.register()  # as renewals do
        await send(first)
        await send(first)
        await second.register()
        await send(first)  # nothing of the second one is there yet
        await send(second)
        with pytest.raises(ProducerFenced):
            await send(first)
        with pytest.raises(ProducerFenced):
            await first.register()
        await send(second)

    corner.produce(act, enable_idempotence=True)
    assert len(corner.read(corner.changelog)) == 6
