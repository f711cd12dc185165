"""What a user's event says about items, on its way from the user's owner to the items' owners.

A user who acts on item c after items x tells c: you were touched, after these; and tells each x: c
followed you. The item's row folds both (`features.item`).
"""

from itertools import groupby
from operator import attrgetter
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
_HEAD_BYTES = 16  # most that a message needs beside its entries


Distance: TypeAlias = Annotated[int, Meta(ge=0, lt=MAX_HISTORY)]
Past: TypeAlias = tuple[str, Distance, bool]


class Touched(Struct, array_like=True, frozen=True, gc=False, tag=0):
    """The item was acted on.

    Attributes:
        offset: Of the event, in the partition that the message names.
        ts: Event time in ms.
        kind: Kind.CLICK or Kind.PURCHASE.
        history: Distinct other items the user touched before, newest first: (item, distance, far).
            Distance counts distinct items from 0, the one before; the item itself counts, though
            it is left out here (see `Followed.itself`). Far: a pause of more than `FAR_MS` lies
            between.
        query: Text of the search that led here, "" for none.
        factors: Of the user before the event, float32 little endian, b"" for none.
        bias: Goes with the factors.
    """

    offset: int
    ts: int
    kind: Annotated[int, Meta(ge=0, lt=len(Kind))]
    history: tuple[Past, ...]
    query: str = ""
    factors: bytes = b""
    bias: float = 0.0


class Followed(Struct, array_like=True, frozen=True, gc=False, tag=1):
    """An item was acted on after this item, by the same user.

    Attributes:
        offset: Of the event, in the partition that the message names.
        ts: Event time in ms.
        item_id: The item that followed.
        distance: As in `Touched.history`.
        far: Likewise.
        itself: The item that followed is this item: the user came back to it.
    """

    offset: int
    ts: int
    item_id: str
    distance: Distance
    far: bool
    itself: bool = False


Entry: TypeAlias = Touched | Followed


class Signals(Struct, array_like=True, frozen=True):
    """One message: what one source says about one item, which is the message's key.

    Attributes:
        source: The partition of events that the entries come from, as an int.
        entries: In offset order. All entries of one offset travel in one message, so an item's
            owner can tell by the offset alone what it has applied.
    """

    source: int
    entries: tuple[Entry, ...]


class TooLarge(ValueError):
    """One event says more about an item than a message may hold."""


_MESSAGES = Decoder(Signals)
_PACK = Encoder()


def signals_of(before: Profile, event: Touching, offset: int) -> list[tuple[str, Entry]]:
    """Return what a click or purchase says, as (item, entry): one `Touched`, then `Followed`.

    Args:
        before: The user's row before the event. Touches later than a late event are left out.
        event: A clean event.
        offset: Its place in its source.
    """
    item_id, ts = event.item_id, event.ts
    past = _history(before, ts)
    others = tuple([pair for pair in past if pair[0] != item_id])
    query = _query(before, event)
    kind = event.kind.value
    touched = Touched(offset, ts, kind, others, query, before.factors, before.bias)
    followed = [(x, Followed(offset, ts, item_id, d, far, x == item_id)) for x, d, far in past]
    return [(item_id, touched), *followed]


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
    """Return the entries in as few messages as they fit in, in order, cut between offsets.

    Raises:
        TooLarge: the entries of one offset do not fit.
    """
    if len(encode_signals(signals)) <= limit_bytes:
        return [signals]
    parts: list[list[Entry]] = [[]]
    size = _HEAD_BYTES
    for offset, group in groupby(signals.entries, attrgetter("offset")):
        entries = list(group)
        more = len(_PACK.encode(entries))
        if more + _HEAD_BYTES > limit_bytes:
            raise TooLarge(
                f"offset {offset} of source {signals.source} says {more} bytes about one item, a "
                f"message holds {limit_bytes}: raise the topic's and the producer's limit"
            )
        if size + more > limit_bytes:
            parts.append([])
            size = _HEAD_BYTES
        parts[-1] += entries
        size += more
    return [Signals(signals.source, tuple(part)) for part in parts if part]


def _history(before: Profile, ts: int) -> list[Past]:
    """Walk back from time ts to the last distinct items."""
    found: dict[str, Past] = {}
    newer, far = ts, False
    for touch in reversed(before.recent):
        if touch.ts > ts:
            continue
        far = far or newer - touch.ts > FAR_MS
        newer = touch.ts
        if touch.item_id not in found:
            found[touch.item_id] = (touch.item_id, len(found), far)
            if len(found) == MAX_HISTORY:
                break
    return list(found.values())


def _query(before: Profile, event: Touching) -> str:
    if isinstance(event, Click) and event.search_id is not None:
        for query in reversed(before.queries):
            if query.event_id == event.search_id:
                return query.query
    return ""
