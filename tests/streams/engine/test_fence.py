"""Registering as a partition's only writer, against a broker that answers as told."""

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    ProducerFenced,
    RequestTimedOutError,
    TransactionalIdAuthorizationFailed,
)

from streams.engine import fence
from streams.engine.batch import PartitionRevoked
from streams.engine.changelog import Changelog
from streams.engine.fence import Writer
from tests.streams.engine.fakes import App, Producer, run

PASSING = CoordinatorLoadInProgressError.errno
FENCED = 90
REFUSED = TransactionalIdAuthorizationFailed.errno


class Broker(Producer):
    """Answers InitProducerId with these error codes in turn, and with success from then on."""

    def __init__(self, *codes: int) -> None:
        super().__init__()
        self.codes = list(codes)
        self.asked: list[tuple[Any, ...]] = []
        self.keys: list[str] = []

    async def coordinator_lookup(self, kind: object, key: str) -> int:
        self.keys.append(key)
        return await super().coordinator_lookup(kind, key)

    async def send(self, node: int, request: Any, *, group: object) -> Any:
        self.asked.append(request._fields)
        code = self.codes.pop(0) if self.codes else 0
        answer = await super().send(node, request, group=group)
        answer.error_code = code
        answer.producer_epoch = len(self.asked)
        return answer


class Builder:
    """As much of aiokafka's BatchBuilder as signing touches."""

    def __init__(self, records: int) -> None:
        self.state: tuple[int, int, int] | None = None
        self._records = records

    def record_count(self) -> int:
        return self._records

    def _set_producer_state(self, pid: int, epoch: int, sequence: int) -> None:
        self.state = (pid, epoch, sequence)


def sent(writer: Writer, records: int) -> tuple[int, int, int] | None:
    """Return what a batch says of its sender when it leaves."""
    builder = Builder(records)
    writer.sign(builder)
    builder._set_producer_state(77, 77, 77)  # what aiokafka's producer would say
    return builder.state


@run
async def test_a_writer_has_an_id_of_app_topic_and_partition() -> None:
    broker = Broker()
    await Writer(App(broker), "counts", 3).register()
    assert broker.keys == ["fake-counts-3"]


@run
async def test_errors_that_pass_are_waited_out_and_others_are_not() -> None:
    broker = Broker(PASSING, PASSING)
    await Writer(App(broker), "counts", 0).register()
    assert len(broker.asked) == 3
    broker = Broker(RequestTimedOutError.errno, 29)  # 29: topic authorisation
    with pytest.raises(Exception, match=r"\[Error 29\]"):
        await Writer(App(broker), "counts", 0).register()


@run
async def test_patience_ends_with_the_request_timeout() -> None:
    broker = Broker(*[PASSING] * 100)
    with pytest.raises(CoordinatorLoadInProgressError):
        await Writer(App(broker), "counts", 0).register()


@run
async def test_a_refused_id_says_what_to_allow() -> None:
    with pytest.raises(PermissionError, match=r"'fake-counts-0' is refused .*Describe and Write"):
        await Writer(App(Broker(REFUSED)), "counts", 0).register()


@run
async def test_a_batch_that_has_been_sent_waits_for_no_garbage_collection() -> None:
    writer = Writer(App(Broker()), "counts", 0)
    await writer.register()
    builder = Builder(1)
    writer.sign(builder)
    builder._set_producer_state(77, 77, 77)
    here = weakref.ref(builder)
    gc.disable()
    try:
        del builder
        assert here() is None
    finally:
        gc.enable()


@run
async def test_batches_are_numbered_by_writer_and_keep_the_identity_they_were_made_under() -> None:
    broker = Broker()
    writer = Writer(App(broker), "counts", 0)
    await writer.register()
    assert [sent(writer, 3), sent(writer, 2), sent(writer, 1)] == [(1, 1, 0), (1, 1, 3), (1, 1, 5)]
    early = Builder(1)
    writer.sign(early)
    await writer.register()
    assert sent(writer, 4) == (1, 2, 0)
    early._set_producer_state(77, 77, 77)
    assert early.state is not None
    assert early.state[:2] == (1, 1)
    writer._sequence = 2**31 - 2
    assert [sent(writer, 3), sent(writer, 1)] == [(1, 2, 2**31 - 2), (1, 2, 1)]


@run
async def test_a_registration_is_renewed_when_old_and_only_as_its_holder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker(0, 0, FENCED)
    writer = Writer(App(broker), "counts", 0)
    await writer.register()
    await writer.renew()
    assert len(broker.asked) == 1
    monkeypatch.setattr(fence, "RENEW_S", -1.0)
    await writer.renew()
    assert [asked[2:4] for asked in broker.asked] == [(-1, -1), (1, 1)]
    with pytest.raises(ProducerFenced):
        await writer.renew()


@run
async def test_a_refused_append_waits_for_the_rebalance_that_explains_it() -> None:
    producer = Producer()
    app = App(producer)
    changelog = Changelog("counts")
    assert await changelog.take(app, [0, 2]) == {0: 0, 2: 0}
    assert await changelog.append(app, 0, 0, {b"a": b"1", b"b": None}) == 2
    with pytest.raises(PartitionRevoked, match="being assigned anew"):
        await changelog.append(app, 1, 0, {b"a": b"1"})
    producer.error = ProducerFenced()
    appending = asyncio.ensure_future(changelog.append(app, 0, 0, {b"a": b"1"}))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(appending), 0.06)
    app.epoch += 1
    with pytest.raises(PartitionRevoked, match=r"counts\[0\] is written by another worker"):
        await appending


@run
async def test_nothing_stored_and_a_lost_offset_move_nothing() -> None:
    app = App(Producer())
    changelog = Changelog("counts")
    await changelog.take(app, [0])
    assert await changelog.append(app, 0, 0, {}) is None

    async def lost(*_: Any, **__: Any) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_result(SimpleNamespace(offset=-1))  # DuplicateSequenceNumber
        return future

    app.producer.send_batch = lost
    assert await changelog.append(app, 0, 0, {b"a": b"1"}) is None
