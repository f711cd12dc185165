"""Counts over the last hour, day, week and month, as rings of buckets.

A ring is the counts of consecutive buckets of event time up to its newest one. It is kept without
leading zeros, so equal sets of events give equal rings whatever their order, and a quiet user's
ring is short.
"""

from msgspec import Struct

from features.decay import DAY_MS, HOUR_MS

MINUTE_MS = 60_000


class Ring(Struct, array_like=True, frozen=True, gc=False):
    """Counts per bucket, the oldest first.

    Attributes:
        newest: Number of the last bucket: its time divided by the bucket's width.
        counts: Events per bucket; the first and the last are never 0. () before any event.
    """

    newest: int = 0
    counts: tuple[int, ...] = ()


def add_to_ring(ring: Ring, bucket: int, buckets: int) -> Ring:
    """Count one event in a bucket; one that the ring has left behind changes nothing.

    Args:
        ring: The counts so far.
        bucket: The event's time divided by the width of a bucket.
        buckets: How many the ring holds.
    """
    counts = ring.counts
    if not counts:
        return Ring(bucket, (1,))
    ahead = bucket - ring.newest
    if ahead == 0:
        return _counted(ring)
    if ahead > 0:
        kept = counts[max(len(counts) + ahead - buckets, 0) :] if ahead < buckets else ()
        return Ring(bucket, (*_stripped(kept), *(0,) * (ahead - 1), 1) if any(kept) else (1,))
    if -ahead >= buckets:
        return ring
    place = len(counts) - 1 + ahead
    if place < 0:
        return Ring(ring.newest, (1, *(0,) * (-place - 1), *counts))
    return Ring(ring.newest, (*counts[:place], counts[place] + 1, *counts[place + 1 :]))


def ring_total(ring: Ring, bucket: int, buckets: int) -> int:
    """Return the events in the last `buckets` buckets up to and including `bucket`.

    Right for a bucket at or after the ring's newest, and for no more buckets than the ring holds.
    """
    kept = buckets - (bucket - ring.newest)
    return sum(ring.counts[-kept:]) if kept > 0 else 0


class Windows(Struct, array_like=True, frozen=True, gc=False):
    """Three rings that answer for four windows; the week is the last days of the month's ring."""

    minutes: Ring = Ring()  # 12 buckets of 5 minutes
    hours: Ring = Ring()  # 24 of an hour
    days: Ring = Ring()  # 30 of a day, UTC


class Totals(Struct, frozen=True):
    """Events in each window; a window ends now and its oldest bucket is counted whole or not."""

    hour: int
    day: int
    week: int
    month: int


_MINUTES = (5 * MINUTE_MS, 12)  # width in ms, buckets
_HOURS = (HOUR_MS, 24)
_DAYS = (DAY_MS, 30)
_WEEK_DAYS = 7


def add(windows: Windows, ts: int) -> Windows:
    """Count one event at event time ts. Order does not matter."""
    minutes, hours, days = windows.minutes, windows.hours, windows.days
    bucket = ts // _MINUTES[0]
    if bucket == minutes.newest and minutes.counts:  # so it is the newest of all three
        return Windows(_counted(minutes), _counted(hours), _counted(days))
    return Windows(
        add_to_ring(minutes, bucket, _MINUTES[1]),
        add_to_ring(hours, ts // _HOURS[0], _HOURS[1]),
        add_to_ring(days, ts // _DAYS[0], _DAYS[1]),
    )


def counted_beside(windows: Windows, ts: int) -> tuple[int, int]:
    """Return the events in the 5 minutes (by the clock) and on the UTC day that ts lies in.

    0 where the ring has left it behind.
    """
    return (
        _in_bucket(windows.minutes, ts // _MINUTES[0]),
        _in_bucket(windows.days, ts // _DAYS[0]),
    )


def totals(windows: Windows, now: int) -> Totals:
    """Return what each window holds at time now, not before the newest event counted."""
    minute, hour, day = now // _MINUTES[0], now // _HOURS[0], now // _DAYS[0]
    return Totals(
        hour=ring_total(windows.minutes, minute, _MINUTES[1]),
        day=ring_total(windows.hours, hour, _HOURS[1]),
        week=ring_total(windows.days, day, _WEEK_DAYS),
        month=ring_total(windows.days, day, _DAYS[1]),
    )


def _counted(ring: Ring) -> Ring:
    counts = ring.counts
    return Ring(ring.newest, counts[:-1] + (counts[-1] + 1,))  # noqa: RUF005  a third faster


def _in_bucket(ring: Ring, bucket: int) -> int:
    place = len(ring.counts) - 1 + bucket - ring.newest
    return ring.counts[place] if 0 <= place < len(ring.counts) else 0


def _stripped(counts: tuple[int, ...]) -> tuple[int, ...]:
    first = next((place for place, count in enumerate(counts) if count), len(counts))
    return counts[first:]
