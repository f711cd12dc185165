"""The app of the contract suite: it counts events per key and sends the new count for each.

Run as `python -m tests.contract.count_app '{"transport": "batch", ...}'`. The same `count` decides
under both transports, so what differs is theirs. A row is (events counted, last offset counted).
"""

import asyncio
import contextlib
import signal
import struct
import sys
import time
from pathlib import Path

import faust
import msgspec
from aiokafka.producer.sender import SendProduceReqHandler
from faust.types import StreamT

from streams import engine
from streams.engine.options import Compression
from tests.contract import where

ROW = struct.Struct(">qq")
POISON = b"poison"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a test may ask of a worker."""

    transport: str  # "batch" or "kafka"
    broker: str
    app_id: str
    source: str
    changelog: str
    output: str
    data_dir: str
    worker_id: str | None = None
    batch_records: int = 500
    session_s: float = 6.0
    request_s: float = 10.0
    depth: int = 4
    pause_s: float = 0.0  # in every batch, between output and commit; stock: as long in all
    gate: str | None = None  # a batch waits, once computed, until this file exists
    hold: str | None = None  # the producer keeps rows that it was given, until this file exists
    standbys: int = 0
    stall_s: float = 60.0
    compression: Compression = "lz4"
    later: bool = False  # rows may wait for those of other batches


def count(row: bytes | None, offset: int) -> bytes | None:
    """Return the row with one more event, None where the event is in it already."""
    counted, applied = ROW.unpack(row) if row else (0, -1)
    return ROW.pack(counted + 1, offset) if offset > applied else None


def _wait_for(path: Path) -> None:
    path.with_suffix(".reached").touch()
    while not path.exists():
        time.sleep(0.02)


class Held:
    """Keeps the rows of a commit inside the producer, as a process does that was stopped there."""

    def __init__(self, topic: str, path: Path) -> None:
        self.committing = False
        send = SendProduceReqHandler.do

        async def held(handler: SendProduceReqHandler, node_id: int) -> None:
            if not self.committing or all(tp.topic != topic for tp in handler._batches):
                await send(handler, node_id)
                return
            await asyncio.to_thread(_wait_for, path)
            await send(handler, node_id)
            path.with_suffix(".answered").touch()

        SendProduceReqHandler.do = held


def batch_app(options: Options) -> faust.App:
    """Count with the engine."""
    held = Held(options.changelog, Path(options.hold)) if options.hold else None
    app = faust.App(
        options.app_id,
        broker=f"batch://{options.broker}",
        **engine.app_options(
            data_dir=Path(options.data_dir),
            worker_id=options.worker_id,
            batch_records=options.batch_records,
            session_timeout_s=options.session_s,
            request_timeout_s=options.request_s,
            standby_replicas=options.standbys,
            compression=options.compression,
        ),
    )
    engine.watch(app, stall_s=options.stall_s)
    counts = engine.table(app, "counts", options.changelog)
    output = engine.Output(app, options.output)

    @engine.agent(app, options.source, name="count", depth=options.depth)
    async def agent(batch: engine.Batch) -> None:
        keys = list({record.key: None for record in batch.records})
        rows = dict(zip(keys, counts.get_many(batch.partition, keys), strict=True))
        changed = {}
        sent = []
        for record in batch.records:
            if record.key == POISON:
                raise ValueError("a record that the handler cannot stand")
            row = count(rows[record.key], record.offset)
            if row is not None:
                rows[record.key] = changed[record.key] = row
                sent.append((record.key, row))
        counts.stage(batch.partition, changed)
        if options.gate:
            await asyncio.to_thread(_wait_for, Path(options.gate))
        await output.send(batch.partition, sent)
        await asyncio.sleep(options.pause_s)
        if held:
            held.committing = True
        commit = counts.commit_later if options.later else counts.commit
        await commit(batch.partition, changed)

    return app


def tell_what_waits(app: faust.App) -> None:
    """On SIGRTMIN, log how many batches and records were delivered and are not acked."""

    def tell(*_: object) -> None:
        waiting = [m for messages in app.consumer._outstanding.values() for m in messages]
        print(  # noqa: T201  the log of this process
            f"waiting: {len(waiting)} batches, {sum(len(m.value) for m in waiting)} records",
            flush=True,
        )

    signal.signal(signal.SIGRTMIN, tell)


def stock_app(options: Options) -> faust.App:
    """Count with Faust alone."""
    app = faust.App(
        options.app_id,
        broker=f"kafka://{options.broker}",
        store="rocksdb://",
        datadir=options.data_dir,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=options.standbys,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=options.worker_id,
        broker_commit_interval=1.0,
        broker_session_timeout=options.session_s,
        broker_heartbeat_interval=options.session_s / 10,
        broker_request_timeout=options.request_s,
        stream_recovery_delay=0.0,
        stream_wait_empty=False,
        producer_acks=-1,
    )
    raw = {"key_serializer": "raw", "value_serializer": "raw"}
    source = app.topic(options.source, **raw)
    output = app.topic(options.output, **raw)
    counts = app.Table(
        "counts",
        key_type=bytes,
        value_type=bytes,
        changelog_topic=app.topic(options.changelog, **raw, acks=False, allow_empty=True),
        options={"driver": "rocksdict"},
    )

    async def agent(stream: StreamT) -> None:
        async for event in stream.events():
            row = count(counts.get(event.key), event.message.offset)
            if row is not None:
                counts[event.key] = row
                await output.send(key=event.key, value=row, partition=event.message.partition)
            await asyncio.sleep(options.pause_s / (options.batch_records * options.depth))

    app.agent(source)(agent)
    return app


def main() -> None:
    """Run one worker until it is stopped."""
    where.tell_when_asked()
    options = msgspec.json.decode(sys.argv[1], type=Options)
    if options.transport == "batch":
        app = batch_app(options)
        tell_what_waits(app)
    else:
        app = stock_app(options)
    with contextlib.suppress(KeyboardInterrupt):
        faust.Worker(app, loglevel="INFO").execute_from_commandline()


if __name__ == "__main__":
    main()
