"""Whose events are not stored with their user, and what is left of a user who was forgotten.

A user who is forgotten has no row. Beside it, under a key that does not name the user, stays a
*marker*: a row that knows nothing but when the request came. By it an event of before the request
is known when it is read late or once more, and does not bring the user back. The row of a user who
comes back keeps that time, so only users without a row need be looked up twice.
"""

from enum import StrEnum
from hashlib import blake2b

from msgspec.structs import replace

from features.decay import DAY_MS
from features.events import Event
from features.profile import Profile, idle, new_profile

MARKER_DAYS = 60
"""How long it is known that a user asked to be forgotten: twice as long as Kafka keeps the events
that must be recognised, since it deletes whole segments, and a quiet partition's spans days."""
_NO_USER = b"\xff"  # not in any UTF-8, so no user's key begins with it
_DIGEST_BYTES = 16


class Unstored(StrEnum):
    """Why an event is not stored with its user."""

    FORGOTTEN = "forgotten"  # it is of before the user's request
    NO_CONSENT = "no_consent"  # it says so itself
    REFUSED = "refused"  # who was forgotten is not stored again


def marker_key(user_id: str) -> bytes:
    """Return the key of a user's marker: no id, and none that can be read from it."""
    return _NO_USER + blake2b(user_id.encode(), digest_size=_DIGEST_BYTES).digest()


def forget(before: Profile, at: int, source: int, offset: int) -> Profile | None:
    """Return the marker that a request leaves in place of a row; None for a replay of it.

    Args:
        before: The user's row; the marker where there is none; else a new row.
        at: When the request was stored, ms, by the broker's clock.
        source: The partition that the request was read from.
        offset: Its place there.
    """
    if offset <= before.applied.get(source, -1) and at <= before.forgotten_at:
        return None
    # The later time: a broker's clock may have been set back.
    at = max(at, before.forgotten_at)
    return replace(new_profile(), applied={source: offset}, forgotten_at=at)


def unstored(row: Profile, event: Event, arrived: int, *, refuse: bool) -> Unstored | None:
    """Tell why an event must not be stored with its user; None where it may.

    Args:
        row: The user's row, or marker.
        event: A clean event of that user.
        arrived: When it was stored, ms, by the broker's clock.
        refuse: Whether events of users who were once forgotten are not stored either.
    """
    if min(event.ts, arrived) <= row.forgotten_at:
        return Unstored.FORGOTTEN
    if event.consent is False:
        return Unstored.NO_CONSENT
    return Unstored.REFUSED if refuse and row.forgotten_at else None


def expired(row: Profile, now: int, ttl_ms: int, *, refuse: bool) -> bool:
    """Tell whether a row is that of an idle user, or a marker that nothing is left to recognise.

    Where who was forgotten is refused, the marker is what says so, and stays.

    Args:
        row: A user's row, or a marker.
        now: The newest event time seen, ms; no clock (see `profile.idle`).
        ttl_ms: Time without an event after which a user is idle.
        refuse: As in `unstored`.
    """
    if row.forgotten_at and not row.newest_ts:
        return not refuse and now - row.forgotten_at > MARKER_DAYS * DAY_MS
    return idle(row, now, ttl_ms)
