"""What a worker finds on its disk: nothing, rows of long ago, or what it stood by for."""

import shutil
from collections import Counter

from tests.contract.harness import Site, keys
from tests.contract.promises import SLOW, assert_kept, settle, wait_for_progress


def test_an_empty_disk(either: Site) -> None:
    either.create()
    counted = either.publish(keys(1500, 300))
    run_and_stop(either, "lost")
    counted += either.publish(keys(300, 300))
    run_and_stop(either, "empty")
    assert_kept_on(either, "empty", counted)


def test_a_stale_disk(either: Site) -> None:
    either.create()
    counted = either.publish(keys(500, 100))
    run_and_stop(either, "w")
    shutil.copytree(either.directory / "w", either.directory / "stale")
    counted += either.publish(keys(1000, 300))
    run_and_stop(either, "w")
    counted += either.publish(keys(300, 300))
    run_and_stop(either, "stale")
    assert_kept_on(either, "stale", counted)


def test_a_standby_that_takes_over(either: Site) -> None:
    either.create()
    dead, heir = (either.worker(data=name, standbys=1, **SLOW).wait_ready() for name in ("a", "b"))
    counted = either.publish(keys(3000, 200))
    wait_for_progress(either, 300)
    dead.kill()
    counted += either.publish(keys(200, 200))
    settle(either)
    assert heir.stop() == 0
    assert_kept_on(either, "b", counted)


def run_and_stop(either: Site, data: str) -> None:
    """Let a worker with that disk handle all that there is, and end."""
    worker = either.worker(data=data).wait_ready()
    settle(either)
    assert worker.stop() == 0


def assert_kept_on(either: Site, data: str, counted: Counter[bytes]) -> None:
    """The promise holds, and the disk of a worker that has ended says the same."""
    rows, offsets = either.disk(data)
    last = {partition: end - 1 for partition, end in either.ends(either.changelog).items()}
    assert_kept(either, counted)
    if either.transport == "batch":
        assert (rows, offsets) == (counted, last)
    else:
        assert all(rows.get(key, 0) <= number for key, number in counted.items())
