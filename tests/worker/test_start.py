"""A worker that cannot do its work says why, with the cure, and ends."""

import os
import signal
from pathlib import Path

import pytest

from features.events import Click
from streams.broker import Kafka
from streams.demo.workers import WorkerFailed
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import publish, worker_of


def test_a_worker_without_topics_names_the_command_that_makes_them(
    names: Names, tmp_path: Path
) -> None:
    with (
        worker_of(names.settings(), tmp_path) as worker,
        pytest.raises(WorkerFailed, match="headrace topics create"),
    ):
        eventually(worker.counters, within_s=60)


def test_a_worker_refuses_a_model_that_is_none(names: Names, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"not a model")
    settings = names.create_topics(model=model)
    with (
        worker_of(settings, tmp_path) as worker,
        pytest.raises(WorkerFailed, match=r"the worker ended with 1:[\s\S]*headrace: "),
    ):
        eventually(worker.counters, within_s=60)


def test_a_worker_ends_when_its_parent_lets_go(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics()
    with worker_of(settings, tmp_path) as worker:
        eventually(worker.counters, within_s=60)
        worker.let_go()
        assert worker.wait(within_s=60) == 0


def test_a_worker_that_is_told_to_stop_before_it_works_ends_well(
    names: Names, tmp_path: Path
) -> None:
    settings = names.create_topics()
    with worker_of(settings, tmp_path) as worker:
        worker.let_go()
        assert worker.wait(within_s=60) == 0


@pytest.mark.parametrize("told", ["by a signal", "by its parent's end"])
def test_a_worker_leaves_though_its_kafka_is_gone(tmp_path: Path, told: str) -> None:
    with Kafka(tmp_path / "kafka") as address:
        settings = Names(address, tmp_path).create_topics()
        with worker_of(settings, tmp_path) as worker:
            publish(settings, [], (click(number) for number in range(30_000)))
            worker.wait_until("headrace_events_total", 1, within_s=60)
            (kafka,) = Kafka(tmp_path / "kafka").status()
            assert kafka.pid
            os.kill(kafka.pid, signal.SIGKILL)
            if told == "by a signal":
                os.kill(worker.pid, signal.SIGTERM)
            else:
                worker.let_go()
            worker.wait(within_s=60)


def click(number: int) -> Click:
    return Click(
        event_id=f"e{number}", user_id=f"u{number % 997}", item_id=f"i{number % 89}", ts=number
    )
