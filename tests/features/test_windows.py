from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.windows import Totals, Windows, add, totals
from tests.features.strategies import DAY, HOUR, MINUTE, START, times


def counted(stamps: list[int], now: int, width: int, buckets: int) -> int:
    """Count by definition: events whose bucket is one of the last."""
    return sum(now // width - buckets < ts // width <= now // width for ts in stamps)


def recomputed(stamps: list[int], now: int) -> Totals:
    return Totals(
        hour=counted(stamps, now, 5 * MINUTE, 12),
        day=counted(stamps, now, HOUR, 24),
        week=counted(stamps, now, DAY, 7),
        month=counted(stamps, now, DAY, 30),
    )


@given(st.lists(times, max_size=60), st.integers(0, 40 * DAY))
def test_every_prefix_counts_what_a_recount_counts_now_and_later(
    stamps: list[int], pause: int
) -> None:
    windows = Windows()
    for length, ts in enumerate(stamps, start=1):
        windows = add(windows, ts)
        newest = max(stamps[:length])
        assert totals(windows, newest) == recomputed(stamps[:length], newest)
        assert totals(windows, newest + pause) == recomputed(stamps[:length], newest + pause)


@given(st.lists(times, max_size=60), st.randoms())
def test_the_order_of_arrival_leaves_no_trace(stamps: list[int], rng: Random) -> None:
    in_order = reduce(add, sorted(stamps), Windows())
    rng.shuffle(stamps)
    assert reduce(add, stamps, Windows()) == in_order


@given(st.lists(times, min_size=1, max_size=60))
def test_a_ring_is_bounded_and_has_no_zeros_at_its_ends(stamps: list[int]) -> None:
    windows = reduce(add, stamps, Windows())
    for ring, most in ((windows.minutes, 12), (windows.hours, 24), (windows.days, 30)):
        assert 1 <= len(ring.counts) <= most
        assert ring.counts[0]
        assert ring.counts[-1]


@pytest.mark.parametrize(
    ("name", "width", "buckets"),
    [("hour", 5 * MINUTE, 12), ("day", HOUR, 24), ("week", DAY, 7), ("month", DAY, 30)],
)
def test_the_oldest_bucket_counts_whole_and_the_one_before_not_at_all(
    name: str, width: int, buckets: int
) -> None:
    now = START - START % DAY + DAY - 1  # the last ms of a bucket of any width
    oldest = now - buckets * width + 1
    windows = reduce(add, [oldest, oldest - 1], Windows())
    assert getattr(totals(windows, now), name) == 1
    assert getattr(totals(windows, now + 1), name) == 0


def test_an_event_older_than_the_window_is_ignored() -> None:
    windows = add(Windows(), START)
    assert add(windows, START - 31 * DAY) == windows


def test_nothing_is_counted_before_any_event() -> None:
    assert totals(Windows(), START) == Totals(hour=0, day=0, week=0, month=0)
