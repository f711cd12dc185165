"""Ways for a worker to end in mid-stream, and to come back to its disk."""

from collections.abc import Callable

import pytest

from tests.contract.harness import Site, Worker, keys
from tests.contract.promises import SLOW, assert_kept, settle, wait_for_progress


def sigterm(worker: Worker) -> None:
    assert worker.stop() == 0


@pytest.mark.parametrize("end", [Worker.kill, sigterm], ids=["kill-9", "sigterm"])
def test_a_worker_ends_twice_and_comes_back(either: Site, end: Callable[[Worker], None]) -> None:
    either.create()
    counted = either.publish(keys(5000, 300))
    for _ in range(2):
        worker = either.worker(worker_id="w", **SLOW)
        wait_for_progress(either, 300)
        end(worker)
    counted += either.publish(keys(300, 300))
    worker = either.worker(worker_id="w").wait_ready()
    settle(either)
    assert_kept(either, counted)
    assert worker.stop() == 0
    if either.transport == "batch":
        assert either.disk("w")[0] == counted
