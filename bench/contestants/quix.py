"""Quix Streams with its own RocksDB state and changelog; it has an environment of its own.

It commits every 5 s, its default: it stores a row once per commit, so that this is its best.
"""

from typing import Any

from quixstreams import Application, State

from bench import work
from bench.contestants.job import Job, told


def run(job: Job) -> None:
    """Run until stopped."""
    app = Application(
        broker_address=job.broker,
        consumer_group=job.group,
        state_dir=job.data_dir,
        auto_offset_reset="earliest",
        producer_extra_config={"compression.type": "lz4", "linger.ms": 0 if job.prompt else 5},
    )
    raw: dict[str, Any] = {"key_deserializer": "bytes", "value_deserializer": "bytes"}
    stream = app.dataframe(app.topic(job.source, **raw))

    def update(value: bytes, state: State) -> bytes:
        event = work.decode(value)
        row = work.changed(state.get_bytes("row"), event)
        state.set_bytes("row", row)
        return work.answer(event, row) if job.output else b""

    stream = stream.apply(update, stateful=True)
    if job.output:
        stream = stream.to_topic(
            app.topic(job.output, key_serializer="bytes", value_serializer="bytes")
        )
    app.run()


if __name__ == "__main__":
    run(told())
