"""What every contestant does with an event: decode it, and change its user's row of 1 KiB.

Knows msgspec and the standard library only, so that it runs in any contestant's environment.
"""

import random
import struct
import zlib

import msgspec

ROW_BYTES = 1024
_HEADER = struct.Struct(">qq")  # events counted, newest event time (ms)
_SLOT = 16  # bytes of one remembered item


class Click(msgspec.Struct, frozen=True):
    """A click as an app sends it, about 130 bytes of MessagePack."""

    event_id: str
    user_id: str
    item_id: str
    ts: int  # ms
    session_id: str
    position: int


class Answer(msgspec.Struct, frozen=True):
    """The output record of an event."""

    event_id: str
    user_id: str
    count: int


_decoder = msgspec.msgpack.Decoder(Click)
_encode = msgspec.msgpack.Encoder().encode


def _item(random_: random.Random) -> str:
    return f"item-{random_.randrange(10**8):08d}"


def _history(seed: int = 7, items: int = 1 << 15) -> bytes:
    random_ = random.Random(seed)
    return b"".join(_item(random_).encode().ljust(_SLOT) for _ in range(items))


_PAST = _history()


def click(number: int, user: int, random_: random.Random) -> Click:
    """Return the number-th event."""
    return Click(
        event_id=f"event-{number:010d}",
        user_id=user_id(user),
        item_id=_item(random_),
        ts=1_760_000_000_000 + number,
        session_id=f"session-{random_.getrandbits(48):012x}",
        position=number % 40,
    )


def user_id(user: int) -> str:
    """Return the id, and so the key, of a user."""
    return f"user-{user:08d}"


def encode(event: Click) -> bytes:
    """Return an event as it travels."""
    return _encode(event)


def decode(value: bytes) -> Click:
    """Return an event; raises msgspec.DecodeError on anything else."""
    return _decoder.decode(value)


def first_row(user: str) -> bytes:
    """Return the row of a user not seen before: full of items, so that no row compresses away."""
    start = zlib.crc32(user.encode()) % (len(_PAST) - ROW_BYTES)
    return _HEADER.pack(0, 0) + _PAST[start : start + ROW_BYTES - _HEADER.size]


def changed(row: bytes | None, event: Click) -> bytes:
    """Return the row with one more event in it: counted, and its item remembered."""
    if row is None:
        row = first_row(event.user_id)
    count, newest = _HEADER.unpack_from(row)
    header = _HEADER.pack(count + 1, max(newest, event.ts))
    return header + event.item_id.encode().ljust(_SLOT) + row[_HEADER.size : -_SLOT]


def count_of(row: bytes) -> int:
    """Return how many events a row contains."""
    counted: int = _HEADER.unpack_from(row)[0]
    return counted


def answer(event: Click, row: bytes) -> bytes:
    """Return the output record of an event whose row has been changed."""
    return _encode(Answer(event.event_id, event.user_id, count_of(row)))


def event_of(value: bytes) -> str:
    """Return the event_id that an output record answers, or an event carries."""
    decoded: dict[str, str] = msgspec.msgpack.decode(value)
    return decoded["event_id"]
