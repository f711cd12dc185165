"""What a user touched last, side by side: item ids, kinds and times of the newest touches."""

from collections.abc import Iterable, Iterator
from struct import Struct as Layout
from sys import intern
from typing import NamedTuple

from msgspec import Struct

from features.recent import inserted

MAX_TOUCHES = 50
_TIMES = tuple(Layout(f"<{count}q") for count in range(MAX_TOUCHES + 1))
_TIME_BYTES = _TIMES[1].size
_KINDS = tuple(bytes([kind]) for kind in range(256))


class Touch(NamedTuple):
    """The user acted on an item."""

    item_id: str
    kind: int  # Kind.CLICK or Kind.PURCHASE
    ts: int  # event time in ms


class Touches(Struct, array_like=True, frozen=True, gc=False):
    """The newest `MAX_TOUCHES` clicks and purchases by event time, oldest first.

    A field holds one property of all of them: fifty touches that are an object each, with a time of
    their own, are all over the memory, and whoever asks for a list waits for every one of them.

    Attributes:
        item_ids: Of each.
        kinds: A byte each, Kind.CLICK or Kind.PURCHASE.
        times: Event time of each in ms, int64 little endian.
    """

    item_ids: tuple[str, ...] = ()
    kinds: bytes = b""
    times: bytes = b""

    def __post_init__(self) -> None:
        """Raise ValueError for fields that are not of equally many touches, or of too many."""
        count = len(self.item_ids)
        if len(self.kinds) != count or len(self.times) != count * _TIME_BYTES:
            raise ValueError(
                f"{count} touches with {len(self.kinds)} kinds and {len(self.times)} bytes of times"
            )
        if count > MAX_TOUCHES:
            raise ValueError(f"{count} touches, a row holds {MAX_TOUCHES}")

    def __len__(self) -> int:
        """Count the touches."""
        return len(self.kinds)

    def __iter__(self) -> Iterator[Touch]:
        """Yield the touches, oldest first."""
        return map(Touch, self.item_ids, self.kinds, self.at())

    def newest_first(self) -> Iterator[tuple[str, int, int]]:
        """Yield the item id, kind and time of each, the newest first."""
        columns = self.item_ids, self.kinds, self.at()
        return zip(*map(reversed, columns), strict=True)

    def at(self) -> tuple[int, ...]:
        """Return the event times in ms."""
        times: tuple[int, ...] = _TIMES[len(self.kinds)].unpack(self.times)
        return times

    @property
    def newest_ts(self) -> int:
        """Event time in ms of the newest; 0 before any."""
        return int.from_bytes(self.times[-_TIME_BYTES:], "little", signed=True)


def touches_of(touches: Iterable[Touch]) -> Touches:
    """Return touches side by side.

    Args:
        touches: Oldest first, at most `MAX_TOUCHES`.
    """
    ids, kinds, times = [*zip(*touches, strict=True)] or ((), (), ())
    return Touches(ids, bytes(kinds), _TIMES[len(ids)].pack(*times))


def with_touch(touches: Touches, item_id: str, kind: int, ts: int) -> Touches:
    """Put a touch behind all that are not newer; the newest `MAX_TOUCHES` stay.

    Equal ids become one object, which whoever looks up many of them finds sooner.
    """
    ids, kinds, times = touches.item_ids, touches.kinds, touches.times
    item_id = intern(item_id)
    if touches.newest_ts > ts:
        return touches_of(inserted((*touches,), Touch(item_id, kind, ts), MAX_TOUCHES))
    if len(ids) == MAX_TOUCHES:
        ids, kinds, times = ids[1:], kinds[1:], times[_TIME_BYTES:]
    return Touches((*ids, item_id), kinds + _KINDS[kind], times + _TIMES[1].pack(ts))
