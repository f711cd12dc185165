"""Brokers that go and come back, and partitions that are led by another one meanwhile."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from streams.broker import Kafka
from tests.contract.harness import TRANSPORTS, Site, Worker, keys, site
from tests.contract.promises import SLOW, assert_kept, settle, wait_for_progress


@contextmanager
def both(broker: str, directory: Path, copies: int) -> Iterator[list[Site]]:
    """Give each transport a corner of a broker that is the test's own."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(site(broker, directory / name, name, copies)) for name in TRANSPORTS
        ]


def start(corner: Site) -> Worker:
    """Start a worker that is patient with its brokers, and slow enough to be caught at work."""
    return corner.create().worker(request_s=40, **SLOW).wait_ready()


def go_on(corner: Site, worker: Worker) -> None:
    """Go on with the same worker; a stock one may have ended, as its supervisor would see."""
    if corner.transport == "kafka" and worker.process.poll() is not None:
        corner.worker()
    settle(corner, 90)


def test_workers_outlive_their_broker(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka")
    with kafka as broker, both(broker, tmp_path, copies=1) as corners:
        workers = [start(corner) for corner in corners]
        counted = [corner.publish(keys(5000, 300)) for corner in corners]
        for corner in corners:
            wait_for_progress(corner, 300)
        kafka.stop()
        kafka.start()
        for corner, worker, before in zip(corners, workers, counted, strict=True):
            after = before + corner.publish(keys(500, 300))
            go_on(corner, worker)
            assert_kept(corner, after)
        assert workers[0].process.poll() is None
        assert workers[0].log.read_text().count("Unable connect") < 500


def test_partitions_get_another_leader_in_mid_stream(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka", nodes=3)
    with kafka as brokers, both(brokers, tmp_path, copies=3) as corners:
        workers = [start(corner) for corner in corners]
        counted = [corner.publish(keys(5000, 300)) for corner in corners]
        for corner in corners:
            wait_for_progress(corner, 300)
        victim = kafka.status()[-1].pid  # leads a third of everything; no time to say goodbye
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        for corner, worker, before in zip(corners, workers, counted, strict=True):
            after = before + corner.publish(keys(500, 300))
            go_on(corner, worker)
            assert_kept(corner, after)
        assert workers[0].process.poll() is None
