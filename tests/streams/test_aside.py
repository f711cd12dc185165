"""What runs aside: in a thread that keeps nobody waiting, and whose failures are told."""

import logging
import threading

import numpy as np
import pytest

from ranker import nearest
from streams.aside import in_background
from streams.index import index_of
from streams.settings import Settings
from tests.support import eventually


def test_a_job_runs_in_a_thread_that_keeps_no_process_from_ending() -> None:
    done: list[threading.Thread] = []
    in_background(lambda: done.append(threading.current_thread()))
    eventually(lambda: bool(done), within_s=30)
    assert done[0] is not threading.current_thread()
    assert done[0].daemon


def test_a_job_that_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise MemoryError("no room")

    with caplog.at_level(logging.ERROR):
        in_background(fail)
        eventually(lambda: "no room" in caplog.text, within_s=30)


def test_a_worker_s_index_builds_its_cells_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest, "EXACT_ITEMS", 20)
    index = index_of(Settings())
    names = [f"item-{number}" for number in range(300)]
    index.set_vectors(names, np.random.default_rng(0).standard_normal((300, 8), np.float32))
    eventually(lambda: index.near_vectors.cells is not None, within_s=60)
