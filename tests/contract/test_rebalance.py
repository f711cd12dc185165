"""Partitions move between workers in mid-stream."""

from tests.contract.harness import READY, Site, keys
from tests.contract.promises import SLOW, assert_kept, feed_until, settle, wait_for_progress


def test_two_workers_then_three_then_one(either: Site) -> None:
    either.create()
    workers = [either.worker(data=name, **SLOW).wait_ready() for name in ("a", "b")]
    counted = either.publish(keys(6500, 500))
    wait_for_progress(either, 300)
    third = either.worker(data="c", **SLOW)
    workers.append(third)
    counted += feed_until(either, lambda: third.said(READY))
    wait_for_progress(either, 300)
    for worker in workers[:2]:
        assert worker.stop() == 0
    counted += either.publish(keys(500, 500))
    settle(either)
    assert_kept(either, counted)
    assert workers[2].process.poll() is None
