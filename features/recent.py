"""The last few things that a user did, by event time, whatever order they arrived in."""

from typing import Protocol, TypeVar


class _Timed(Protocol):
    @property
    def ts(self) -> int: ...


T = TypeVar("T", bound=_Timed)


def inserted(events: tuple[T, ...], event: T, most: int) -> tuple[T, ...]:
    """Put an event behind all that are not newer; keep the newest `most`.

    Args:
        events: Oldest first; at most `most`.
        event: What to put in.
        most: At least 1.
    """
    if not events or events[-1].ts <= event.ts:
        return (*events, event)[-most:]
    place = len(events) - 1
    while place and events[place - 1].ts > event.ts:
        place -= 1
    return (*events[:place], event, *events[place:])[-most:]
