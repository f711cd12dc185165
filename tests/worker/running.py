"""A whole worker against a real broker: publish, wait until all is learnt, read the tables."""

import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rocksdict
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CoordinatorNotAvailableError

from features.events import Event, Item
from streams import admin, bulk
from streams.broker.ports import free_ports
from streams.demo.workers import WorkerProcess
from streams.engine import snapshots
from streams.security import connection
from streams.settings import Settings
from tests.support import eventually

LEARNT_WITHIN_S = 120.0


def worker_of(settings: Settings, directory: Path, name: str = "worker") -> WorkerProcess:
    """Return a worker process, not yet started, with metrics on a free port."""
    own = settings.model_copy(update={"metrics_port": free_ports(1)[0]})
    return WorkerProcess(own, directory / f"{name}.log")


def ask(worker: WorkerProcess, path: str) -> tuple[int, str]:
    """Return the status and text of /healthz and the like; 0 while nobody answers."""
    worker.counters()  # raises where the worker has ended
    try:
        with urllib.request.urlopen(worker._url.replace("/metrics", path), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def gauge(worker: WorkerProcess, name: str) -> float:
    """Return a metric that has no labels."""
    _, text = ask(worker, "/metrics")
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{name} "))


def disk(settings: Settings, name: str) -> dict[str, bytes]:
    """Return the rows of a table on the disk of a worker that has stopped."""
    rows: dict[str, bytes] = {}
    for partition in range(settings.partitions):
        path = snapshots.tables_of(settings.data_dir) / f"{name}-{partition}.db"
        found = rocksdict.Rdict(
            str(path),
            options=rocksdict.Options(raw_mode=True),
            access_type=rocksdict.AccessType.read_only(),
        )
        rows |= {k.decode(): v for k, v in found.items() if not k.startswith(b"\x00")}
        found.close()
    return rows


def publish(settings: Settings, items: Iterable[Item], events: Iterable[Event]) -> None:
    bulk.publish(settings, items)
    bulk.publish(settings, events)


def wait_until_learnt(settings: Settings, worker: WorkerProcess) -> None:
    """Wait until the group has committed everything that its topics hold."""
    topics = settings.topics
    eventually(
        lambda: worker.counters() and not behind(settings, [*topics.events, topics.catalog]),
        LEARNT_WITHIN_S,
        every_s=0.3,
    )
    # Only now no more signals can come.
    eventually(
        lambda: worker.counters() and not behind(settings, [topics.item_signals]),
        LEARNT_WITHIN_S,
        every_s=0.3,
    )


def behind(settings: Settings, topics: list[str]) -> dict[TopicPartition, int]:
    """Return how many offsets each partition's commit is behind its end, where it is."""
    with admin.connect(settings) as client:
        try:
            answer = client.list_group_offsets([settings.app_id])[settings.app_id]
        except CoordinatorNotAvailableError:  # the first group of a new broker
            answer = {}
    partitions = [TopicPartition(t, p) for t in topics for p in range(settings.partitions)]
    consumer = KafkaConsumer(metrics_enabled=False, **connection(settings))
    try:
        ends = consumer.end_offsets(partitions)
    finally:
        consumer.close()
    lags = {tp: end - (answer[tp].offset if tp in answer else 0) for tp, end in ends.items()}
    return {tp: lag for tp, lag in lags.items() if lag > 0}


def table(settings: Settings, topic: str) -> dict[str, bytes]:
    """Return the newest value of every key of a topic."""
    rows = {record.key.decode(): record.value for record in records(settings, topic)}
    return {key: value for key, value in rows.items() if value is not None}


def records(settings: Settings, topic: str) -> list[Any]:
    """Return all that a topic holds, each partition in order."""
    found: list[Any] = []
    consumer = KafkaConsumer(
        enable_auto_commit=False, metrics_enabled=False, **connection(settings)
    )
    try:
        partitions = [TopicPartition(topic, p) for p in range(settings.partitions)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for batch in consumer.poll(1_000).values():
                found += batch
    finally:
        consumer.close()
    return found
