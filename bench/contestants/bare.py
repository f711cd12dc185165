"""No engine: aiokafka's getmany and the decoding, and a batch sent for each that came: an echo."""

import asyncio
import signal
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench import work
from bench.contestants.job import Job, told
from streams.engine import use_uvloop

MiB = 1 << 20


async def run(job: Job) -> None:
    """Run until terminated."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    consumer = AIOKafkaConsumer(
        job.source,
        bootstrap_servers=job.broker,
        group_id=job.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=8 * MiB,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=job.broker,
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        max_batch_size=900_000,
    )
    async with consumer, producer:
        committed = time.monotonic()
        while not stopped.is_set():
            fetched = await consumer.getmany(timeout_ms=200, max_records=4096)
            sent = []
            for tp, records in fetched.items():
                for record in records:
                    work.decode(record.value)
                if job.output:
                    batch = producer.create_batch()
                    for record in records:
                        batch.append(key=record.key, value=record.value, timestamp=None)
                    batch.close()
                    sent.append(
                        await producer.send_batch(batch, job.output, partition=tp.partition)
                    )
            await asyncio.gather(*sent)
            if time.monotonic() - committed > job.commit_s:
                await consumer.commit()
                committed = time.monotonic()


if __name__ == "__main__":
    use_uvloop()
    asyncio.run(run(told()))
