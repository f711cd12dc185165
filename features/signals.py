"""What a user's event says about an item, on its way from the user's owner to the item's owner.

A user who acts on item c after items x tells c: you were touched, after these. It tells the x
nothing: one message an event, and one row changed, however long the history. What followed x is
found where all items are at hand, in the ranker's index, which turns the pairs of every row around.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct
from msgspec.msgpack import Decoder, Encoder

from features.decay import HOUR_MS
from features.events import Click, Kind, Touching
from features.profile import Profile
from features.rows import BadRow

MAX_HISTORY = 10
FAR_MS = HOUR_MS
"""A pause longer than this divides what came before it from what came after."""
_PURCHASE = int(Kind.PURCHASE)  # a member of an enumeration is slow to find and to compare
_HEAD_BYTES = 16  # most that a message needs beside its entries


History: TypeAlias = Annotated[tuple[str, ...], Meta(max_length=MAX_HISTORY)]


class Touched(Struct, array_like=True, frozen=True, gc=False):
    """The item was acted on.

    Attributes:
        offset: Of the event, in the partition that the message names.
        ts: Event time in ms.
        kind: Kind.CLICK or Kind.PURCHASE.
        history: Distinct items the user touched before, newest first; the place of one is its
            distance, from 0. The item itself is among them where the user came back to it.
        near: So many of the first no pause of more than `FAR_MS` parts from this event.
        query: Text of the search that led here, "" for none.
        factors: Of the user before the event, float32 little endian, b"" for none.
        bias: Goes with the factors.
        bought: Bit d says that the item at distance d was bought when it was last touched.
    """

    offset: int
    ts: int
    kind: Annotated[int, Meta(ge=0, lt=len(Kind))]
    history: History
    near: Annotated[int, Meta(ge=0, le=MAX_HISTORY)]
    query: str = ""
    factors: bytes = b""
    bias: float = 0.0
    bought: Annotated[int, Meta(ge=0, lt=1 << MAX_HISTORY)] = 0


class Signals(Struct, array_like=True, frozen=True, gc=False):
    """One message: what one source says about one item, which is the message's key.

    Attributes:
        source: The partition of events that the entries come from, as an int.
        entries: In offset order, one an event, so an item's owner can tell by the offset alone what
            it has applied.
    """

    source: int
    entries: tuple[Touched, ...]


class TooLarge(ValueError):
    """One event says more about an item than a message may hold."""


_MESSAGES = Decoder(Signals)
_PACK = Encoder()


def signal_of(before: Profile, event: Touching, offset: int) -> Touched:
    """Return what a click or purchase says about its item.

    Args:
        before: The user's row before the event. Touches later than a late event are left out.
        event: A clean event.
        offset: Its place in its source.
    """
    history, near, bought = _history(before, event.ts)
    return Touched(
        offset,
        event.ts,
        event.kind,
        history,
        near,
        _query(before, event),
        before.factors,
        before.bias,
        bought,
    )


def encode_signals(signals: Signals) -> bytes:
    """Return the message as MessagePack."""
    return _PACK.encode(signals)


def decode_signals(message: bytes) -> Signals:
    """Return the message that `encode_signals` wrote.

    Raises:
        BadRow: it is not one.
    """
    try:
        return _MESSAGES.decode(message)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"not a message of item signals: {error}") from error


def split(signals: Signals, limit_bytes: int) -> list[Signals]:
    """Return the entries in as few messages as they fit in, in order.

    Raises:
        TooLarge: one entry does not fit.
    """
    if len(encode_signals(signals)) <= limit_bytes:
        return [signals]
    parts: list[list[Touched]] = [[]]
    size = _HEAD_BYTES
    for entry in signals.entries:
        more = len(_PACK.encode(entry))
        if more + _HEAD_BYTES > limit_bytes:
            raise TooLarge(
                f"offset {entry.offset} of source {signals.source} says {more} bytes about one "
                f"item, a message holds {limit_bytes}: raise the topic's and the producer's limit"
            )
        if size + more > limit_bytes:
            parts.append([])
            size = _HEAD_BYTES
        parts[-1].append(entry)
        size += more
    return [Signals(signals.source, tuple(part)) for part in parts if part]


def _history(before: Profile, ts: int) -> tuple[tuple[str, ...], int, int]:
    """Walk back from time ts to the last distinct items: see `Touched`."""
    found: dict[str, None] = {}
    newer, near, bought = ts, -1, 0  # -1: no pause yet
    for item_id, kind, at in before.recent.newest_first():
        if at != newer:
            if at > ts:
                continue
            if near < 0 and newer - at > FAR_MS:
                near = len(found)
            newer = at
        if item_id in found:
            continue
        if kind == _PURCHASE:
            bought |= 1 << len(found)
        found[item_id] = None
        if len(found) == MAX_HISTORY:
            break
    return tuple(found), len(found) if near < 0 else near, bought


def _query(before: Profile, event: Touching) -> str:
    if isinstance(event, Click) and event.search_id is not None:
        for query in reversed(before.queries):
            if query.event_id == event.search_id:
                return query.query
    return ""
