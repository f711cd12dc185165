"""Workers as processes of their own, and what is in Kafka, read without the engine."""

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import rocksdict
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import GroupCoordinatorNotAvailableError
from aiokafka.partitioner import DefaultPartitioner

from tests.contract.count_app import ROW, Options
from tests.contract.where import ASK, STANDS
from tests.support import eventually

PARTITIONS = 4
ROOT = Path(__file__).parents[2]
READY = "Worker ready"
STOCK_OFFSET = b"__faust\x00offset__"  # where Faust's own store keeps it
TRANSPORTS = ("batch", "kafka")
T = TypeVar("T")


class Worker:
    """A process that runs the count app."""

    def __init__(self, options: Options, log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.contract.count_app",
                    msgspec.json.encode(options).decode(),
                ],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def said(self, text: str) -> bool:
        return text in self.log.read_text(errors="replace")

    def count(self, text: str) -> int:
        return self.log.read_text(errors="replace").count(text)

    def wait_ready(self, within_s: float = 30) -> Self:
        eventually(lambda: self.said(READY) or self.process.poll() is not None, within_s)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, within_s: float = 30) -> int:
        self.process.terminate()
        return self.ends(within_s)

    def ends(self, within_s: float = 45) -> int:
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            seen = len(self.log.read_text())
            self.process.send_signal(ASK)
            with suppress(AssertionError):  # a thread that never returns from C tells nothing
                eventually(lambda: self.said(STANDS), 10)
            self.send(signal.SIGABRT)
            self.process.wait()
            tail = self.log.read_text()[max(0, seen - 3000) :]
            raise AssertionError(f"still running:\n{tail}") from None


class Site:
    """One app's corner of the broker: its three topics, its group, its workers."""

    def __init__(
        self, broker: str, directory: Path, stack: ExitStack, transport: str, copies: int
    ) -> None:
        self.transport = transport
        self.broker = broker
        self._copies = copies
        self.directory = directory
        self.app_id = f"contract-{uuid.uuid4().hex[:10]}"
        self.source = f"{self.app_id}.source"
        self.changelog = f"{self.app_id}.counts"
        self.output = f"{self.app_id}.output"
        self._stack = stack
        self._started = 0

    def create(self, **changelog: str) -> Self:
        """Create the topics; arguments configure the changelog, with underscores for dots."""
        compacted = {"cleanup.policy": "compact"} | _dotted(changelog)
        return self.create_topics({self.source: {}, self.output: {}, self.changelog: compacted})

    def create_topics(self, configs: dict[str, dict[str, str]]) -> Self:
        """Create topics by name and configuration; the test's end deletes them."""
        topics = [
            NewTopic(name, PARTITIONS, self._copies, topic_configs=config)
            for name, config in configs.items()
        ]
        self.admin(lambda admin: admin.create_topics(topics))
        self._stack.callback(self.admin, lambda admin: admin.delete_topics(list(configs)))
        return self

    def admin(self, act: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        async def run() -> T:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.broker)
            await admin.start()
            try:
                return await act(admin)
            finally:
                await admin.close()

        return asyncio.run(run())

    def worker(self, data: str = "w", **over: Any) -> Worker:
        """Start a worker with its state in directory `data`; it dies with the test."""
        self._started += 1
        options = Options(
            transport=self.transport,
            broker=self.broker,
            app_id=self.app_id,
            source=self.source,
            changelog=self.changelog,
            output=self.output,
            data_dir=str(self.directory / data),
            **over,
        )
        worker = Worker(options, self.directory / f"worker-{self._started}.log")
        self._stack.callback(worker.kill)
        return worker

    def publish(self, keys: Iterable[bytes], topic: str | None = None) -> Counter[bytes]:
        """Send one event per key and return how many each key has now got."""
        by_partition: dict[int, list[bytes]] = {p: [] for p in range(PARTITIONS)}
        counted: Counter[bytes] = Counter()
        for key in keys:
            by_partition[partition_of(key)].append(key)
            counted[key] += 1

        async def run(producer: AIOKafkaProducer) -> None:
            for partition, group in by_partition.items():
                for start in range(0, len(group), 500):
                    batch = producer.create_batch()
                    for key in group[start : start + 500]:
                        batch.append(key=key, value=b"event", timestamp=None)
                    await (
                        await producer.send_batch(batch, topic or self.source, partition=partition)
                    )

        self.produce(run, enable_idempotence=True)  # what is sent is there once, and stays
        return counted

    def produce(self, act: Callable[[AIOKafkaProducer], Awaitable[None]], **options: Any) -> None:
        """Run something with a producer."""

        async def run() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.broker, max_batch_size=100_000, **options
            )
            async with producer:
                await act(producer)

        asyncio.run(run())

    def holds(self, data: str, expected: tuple[dict[bytes, int], dict[int, int]]) -> bool:
        """Say whether a worker's disk is as expected."""
        return self.disk(data) == expected

    def configure(self, topic: str, **configs: str) -> None:
        """Replace a topic's configuration; underscores stand for dots."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, _dotted(configs))
        self.admin(lambda admin: admin.alter_configs([resource]))

    def counts(self) -> dict[bytes, int]:
        """Return each key's count as the changelog has it last; null values are no counts."""
        records = (record for record in self.read(self.changelog) if record.value is not None)
        return {record.key: ROW.unpack(record.value)[0] for record in records}

    def outputs(self) -> set[tuple[bytes, int]]:
        """Return which counts have been sent for which keys."""
        return {(record.key, ROW.unpack(record.value)[0]) for record in self.read(self.output)}

    def disk(self, data: str) -> tuple[dict[bytes, int], dict[int, int]]:
        """Return the counts and changelog offsets on a worker's disk, whether it runs or not."""
        counts: dict[bytes, int] = {}
        offsets: dict[int, int] = {}
        for partition in range(PARTITIONS):
            path = self.directory / data / "v1" / "tables" / f"counts-{partition}.db"
            if path.exists():
                rows = rocksdict.Rdict(
                    str(path),
                    options=rocksdict.Options(raw_mode=True),
                    access_type=rocksdict.AccessType.read_only(),
                )
                for key, value in rows.items():
                    if key == STOCK_OFFSET:
                        offsets[partition] = int(value)
                    elif key.endswith(b"\x00offset"):
                        offsets[partition] = int.from_bytes(value, "big")
                    elif not key.startswith(b"\x00"):
                        counts[key] = ROW.unpack(value)[0]
                rows.close()
        return counts, offsets

    def read(self, topic: str) -> list[Any]:
        """Return every committed record of a topic, in the order of partitions and offsets."""

        async def run() -> list[Any]:
            found: list[Any] = []
            tps = _tps(topic)
            async with AIOKafkaConsumer(
                bootstrap_servers=self.broker, isolation_level="read_committed"
            ) as consumer:
                consumer.assign(tps)
                await consumer.seek_to_beginning(*tps)
                ends = await consumer.end_offsets(tps)
                while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                    for records in (await consumer.getmany(timeout_ms=200)).values():
                        found.extend(records)
            return sorted(found, key=lambda record: (record.partition, record.offset))

        return asyncio.run(run())

    def ends(self, topic: str | None = None) -> dict[int, int]:
        """Return the end offset of each partition, of the source by default."""

        async def run() -> dict[int, int]:
            async with AIOKafkaConsumer(bootstrap_servers=self.broker) as consumer:
                found = await consumer.end_offsets(_tps(topic or self.source))
                return {tp.partition: end for tp, end in found.items()}

        return asyncio.run(run())

    def committed(self) -> dict[int, int]:
        """Return the offset that the app's group has committed in each partition of the source."""

        async def run(admin: AIOKafkaAdminClient) -> dict[int, int]:
            try:
                found = await admin.list_consumer_group_offsets(self.app_id)
            except GroupCoordinatorNotAvailableError:  # the broker's first group is being made
                found = {}
            offsets = {tp: meta.offset for tp, meta in found.items() if tp.topic == self.source}
            return {p: max(0, offsets.get(tp, 0)) for p, tp in enumerate(_tps(self.source))}

        return self.admin(run)

    def wait_at_rest(self, within_s: float = 60) -> None:
        """Wait until everything published is committed."""
        ends = self.ends()
        eventually(lambda: self.committed() == ends, within_s, every_s=0.3)


@contextmanager
def site(broker: str, directory: Path, transport: str = "batch", copies: int = 1) -> Iterator[Site]:
    """Give a test its corner, with so many copies of each topic, and clear it up."""
    directory.mkdir(exist_ok=True)
    with ExitStack() as stack:
        yield Site(broker, directory, stack, transport, copies)


def keys(number: int, count: int, start: int = 0) -> Sequence[bytes]:
    """Return `number` keys, going round `count` different ones."""
    return [f"user-{(start + n) % count}".encode() for n in range(number)]


def partition_of(key: bytes) -> int:
    everywhere = list(range(PARTITIONS))
    return int(DefaultPartitioner()(key, everywhere, everywhere))


def expected_outputs(counted: Counter[bytes]) -> set[tuple[bytes, int]]:
    return {(key, n) for key, total in counted.items() for n in range(1, total + 1)}


def _tps(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, partition) for partition in range(PARTITIONS)]


def _dotted(configs: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "."): value for name, value in configs.items()}
