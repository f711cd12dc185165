"""Visits: events no two of which are more than half an hour apart in a row."""

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from features.windows import MINUTE_MS

SESSION_GAP_MS = 30 * MINUTE_MS


class Session(Struct, frozen=True):
    """A visit."""

    start: int = 0  # ms
    last: int = 0  # ms
    length: int = 0  # events; 0 before any


def last_session(times: Iterable[int]) -> Session:
    """Return the visit that the newest of some event times, in ms, belongs to."""
    ordered = sorted(times)
    if not ordered:
        return Session()
    length = 1
    for later, earlier in pairwise(reversed(ordered)):
        if later - earlier > SESSION_GAP_MS:
            break
        length += 1
    return Session(ordered[-length], ordered[-1], length)
