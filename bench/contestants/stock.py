"""Faust alone, with its RocksDB store, and settings that do it good."""

import faust
from faust.types import StreamT

from bench import work
from bench.contestants.job import Job, told
from streams.engine import use_uvloop

MiB = 1 << 20


def build(job: Job) -> faust.App:
    """Return the app."""
    app = faust.App(
        job.group,
        broker=f"kafka://{job.broker}",
        store="rocksdb://",
        datadir=job.data_dir,
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=job.commit_s,
        consumer_max_fetch_size=8 * MiB,
        producer_compression_type="zstd",
        producer_linger_ms=0 if job.prompt else 100,
        producer_max_batch_size=256 * 1024,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )
    raw = {"key_serializer": "raw", "value_serializer": "raw"}
    source = app.topic(job.source, **raw)
    output = app.topic(job.output, **raw) if job.output else None
    users = app.Table(
        "users",
        key_type=bytes,
        value_type=bytes,
        changelog_topic=app.topic(job.changelog, **raw, acks=False, allow_empty=True),
        options={"driver": "rocksdict"},
    )

    async def agent(stream: StreamT) -> None:
        async for record in stream.events():
            event = work.decode(record.value)
            row = users[record.key] = work.changed(users.get(record.key), event)
            if output is not None:
                await output.send(
                    key=record.key,
                    value=work.answer(event, row),
                    partition=record.message.partition,
                )

    app.agent(source)(agent)
    return app


if __name__ == "__main__":
    use_uvloop()
    faust.Worker(build(told()), loglevel="INFO").execute_from_commandline()
