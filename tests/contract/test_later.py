"""Rows that wait for others are as safe as rows that do not."""

from typing import Any

from tests.contract.harness import Site, keys
from tests.contract.test_crash import assert_exact, kill_thrice, wait_for_progress

SLOW: dict[str, Any] = {"batch_records": 50, "pause_s": 0.1, "later": True}


def test_kill_9_of_two_workers_whose_rows_wait(corner: Site) -> None:
    kill_thrice(corner, **SLOW)


def test_rows_wait_for_each_other_and_each_is_sent_once(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(20_000, 50))
    worker = corner.worker(batch_records=100, later=True)
    assert_exact(corner, counted)
    sent = sum(corner.ends(corner.changelog).values())
    assert sent < 20_000 / 100 * 50 / 2  # less than half of what each batch alone had sent
    assert worker.stop() == 0
    assert corner.disk("w")[0] == counted


def test_a_partition_that_moves_takes_no_waiting_row_along(corner: Site) -> None:
    corner.create()
    counted = corner.publish(keys(20_000, 700))
    corner.worker(data="a", **SLOW)
    wait_for_progress(corner, 500)
    other = corner.worker(data="b", later=True).wait_ready()
    assert other.stop() == 0
    assert_exact(corner, counted)
