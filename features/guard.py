"""Which events count: none that a row has, none that tells an act twice, no machine's flood.

All rules compare event times, never a clock, and look only at what a row remembers of one user and
one kind of event. Events of one kind come from one partition, so that a replay judges them alike.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum
from hashlib import blake2b
from typing import Protocol

from msgspec import Struct

from features.events import Event, Kind
from features.touches import Touches
from features.windows import Windows, counted_beside

ID_BYTES = 6  # of a remembered event id: a chance of 2e-13 per event that a new one looks known
MAX_IDS = 48
_KIND_DIGITS = tuple(b"%d" % kind for kind in Kind)
REPEAT_MS = 1_000
"""Within so long the same act is usually one act told twice; see `Rules`."""


class Verdict(IntEnum):
    """Whether an event counts, and why not. The values are stored in rows and stay as they are."""

    COUNTS = 0
    REPLAYED = 1  # its offset was applied before
    REPEATED = 2  # its event_id came by lately
    TWIN = 3  # the user had done the same a moment before or after
    FLOOD = 4  # the user does more of this than people do


class Lateness(Enum):
    """How much older an event that counts is than the newest of its user."""

    OUT_OF_ORDER = "out_of_order"  # a little, as where two topics are read in turn
    LATE = "late"  # more than is usual


class Rules(Struct, frozen=True, kw_only=True):
    """What does not count beside replays and repeated ids; 0 switches a rule off.

    Attributes:
        repeat_ms: The same act within so many ms is one act told twice.
        per_5_minutes: Events of one kind that a user may do in the 5 minutes (by the clock) of the
            event.
        per_day: Likewise on the day of the event, UTC.
    """

    repeat_ms: int = 0
    per_5_minutes: int = 0
    per_day: int = 0


NO_RULES = Rules()


class _Asking(Protocol):
    """A search."""

    @property
    def query(self) -> str: ...
    @property
    def ts(self) -> int: ...


def digest(event: Event) -> bytes:
    """Return what is remembered of an event's id, `ID_BYTES` long.

    Ids are unique within a kind: a shop may number its clicks and its purchases alike.
    """
    named = _KIND_DIGITS[event.kind] + event.event_id.encode()
    return blake2b(named, digest_size=ID_BYTES).digest()


def known(ids: bytes, one: bytes) -> bool:
    """Tell whether a digest is among digests that stand one behind the other."""
    place = ids.find(one)
    while place % ID_BYTES and place != -1:  # found across two ids
        place = ids.find(one, place + 1)
    return place != -1


def twins(one_ts: int, other_ts: int, within_ms: int) -> bool:
    """Tell whether two tellings of an act, at these event times, are of one act."""
    return abs(one_ts - other_ts) <= within_ms


def done_beside(touches: Touches, item_id: str, kind: Kind, ts: int, within_ms: int) -> bool:
    """Tell whether the same was done to the item at most `within_ms` before or after ts.

    Args:
        touches: What was done. What they do not reach back to is not found.
        item_id: The item.
        kind: Of the act.
        ts: Event time in ms.
        within_ms: Inclusive.
    """
    earliest, latest = ts - within_ms, ts + within_ms
    if touches.newest_ts < earliest:  # as mostly: nothing has to be unpacked
        return False
    for other, done, at in touches.newest_first():
        if at < earliest:
            return False
        if other == item_id and done == kind and at <= latest:
            return True
    return False


def asked_beside(searches: Sequence[_Asking], query: str, ts: int, within_ms: int) -> bool:
    """Tell whether the same was asked, case apart, at most `within_ms` before or after ts."""
    folded = query.casefold()
    return any(
        twins(search.ts, ts, within_ms) and search.query.casefold() == folded for search in searches
    )


def too_many(windows: Windows, total: int, ts: int, rules: Rules) -> bool:
    """Tell whether one more event at ts would be above what the rules allow.

    Args:
        windows: What was counted of the user's events of this kind. An event that its rings have
            left behind (an hour, or a month, older than the newest) is in no minute, or day.
        total: How many were ever counted: who did less than the limits in all need not be looked
            at closely.
        ts: Event time in ms.
        rules: The limits.
    """
    few, many = rules.per_5_minutes, rules.per_day
    if (not few or total < few) and (not many or total < many):
        return False
    minutes, day = counted_beside(windows, ts)
    return 0 < few <= minutes or 0 < many <= day


def lateness(newest_ts: int, ts: int, late_ms: int) -> Lateness | None:
    """Compare an event's time with the newest of its user before it; None where it is no older."""
    if ts >= newest_ts:
        return None
    return Lateness.LATE if newest_ts - ts > late_ms else Lateness.OUT_OF_ORDER
