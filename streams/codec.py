"""Bytes <-> events, catalogue entries and recommendations.

Records are maps in JSON or MessagePack, told apart by the first byte. Any bytes at all give what
was asked for or a `BadEvent`: a record can never stop a partition.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec

from features.cleaning import BadField, check_id, clean_event, clean_item, mended
from features.events import (
    MAX_ID_BYTES,
    Click,
    Event,
    Forget,
    Item,
    Kind,
    Purchase,
    Search,
)
from streams.lists import Recommendation

AHEAD_MS = 300_000
"""How far an event's time may lie ahead of its record's: producers' clocks differ."""

Wire: TypeAlias = Literal["msgpack", "json"]
T = TypeVar("T")
R = TypeVar("R", Event, Item)

REASONS: Final = {
    "undecodable": "a record is one map, in JSON or MessagePack",
    "missing_field": "send every required field",
    "mistyped_field": "send the type and range that the rule names, or leave the field out",
    "bad_value": "send a value that keeps the rule, or leave the field out",
    "empty_id": "send an id, or leave an optional one out",
    "id_too_long": "hash a longer id",
    "key_mismatch": "key a record by its user_id (catalog: item_id), as UTF-8",
    "bad_ts": "send event time as whole milliseconds since 1970-01-01 UTC",
    "future_ts": "mend the producer's clock; 5 minutes ahead of the broker's are allowed",
    "wrong_type": "`type` says what the topic holds: click, search, purchase, item or forget",
}
"""Why a record is refused -> what to do about it."""


class BadEvent(ValueError):
    """A record that is not one of ours; the message names the value, the rule and the cure.

    Attributes:
        reason: A key of `REASONS`.
        problem: The value and the rule, without the cure.
    """

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(f"{problem}; {REASONS[reason]}")
        self.reason = reason
        self.problem = problem


class _Reader(Generic[T]):
    """Decodes one type from either format."""

    def __init__(self, kind: Any) -> None:
        self._json: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._msgpack: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)

    def read(self, payload: bytes) -> T:
        """Raise `BadEvent` or return the value."""
        try:
            if payload[:1] < b"\x80":
                return self._json.decode(payload)
            if payload[:3] == _BOM:
                return self._json.decode(payload[3:])
            return self._msgpack.decode(payload)
        except (ValueError, RecursionError) as error:
            raise _named(error, payload) from error


_BOM = b"\xef\xbb\xbf"  # some editors put it before JSON; no MessagePack map starts so
_EVENTS: Final[dict[Kind, _Reader[Event]]] = {
    Kind.CLICK: _Reader(Click),
    Kind.SEARCH: _Reader(Search),
    Kind.PURCHASE: _Reader(Purchase),
}
_ITEMS: Final[_Reader[Item]] = _Reader(Item)
_REQUESTS: Final[_Reader[Forget]] = _Reader(Forget)
_LINES: Final[_Reader[Event | Item]] = _Reader(Event | Item)
_RECOMMENDATIONS: Final[_Reader[Recommendation]] = _Reader(Recommendation)
_FIELDS: Final[_Reader[dict[str, msgspec.Raw]]] = _Reader(dict[str, msgspec.Raw])


def decode_event(
    kind: Kind,
    key: bytes | None,
    payload: bytes | None,
    now_ms: int,
    mends: Counter[str] | None = None,
    *,
    domains: Collection[str] | None = None,
) -> Event:
    """Return the clean event that a record of a topic of `kind` holds.

    Args:
        kind: What the topic holds.
        key: The record's key, to be the user's id.
        payload: The record's value.
        now_ms: The record's timestamp, as the broker has it.
        mends: Counts the fields that had to be mended, by name.
        domains: Names of those there are; None takes any.

    Raises:
        BadEvent: it is not an event, is keyed by anything but its user, lies in the future, or
            names a domain that there is not.
    """
    if payload is None:
        raise BadEvent("undecodable", f"a {kind.name.lower()} cannot be deleted: value is null")
    event = _EVENTS[kind].read(payload)
    if key != event.user_id.encode():
        raise BadEvent("key_mismatch", f"key {key!r} is not `user_id` {event.user_id!r}")
    return _checked(event, now_ms, mends, domains)


def decode_item(
    key: bytes | None,
    payload: bytes | None,
    mends: Counter[str] | None = None,
    *,
    domains: Collection[str] | None = None,
) -> tuple[str, Item | None]:
    """Return a catalogue record's item id and its clean entry; None deletes the item.

    Args:
        key: The record's key, to be the item's id.
        payload: The record's value.
        mends: Counts the fields that had to be mended, by name.
        domains: As in `decode_event`.

    Raises:
        BadEvent: it is not a catalogue entry, is keyed by anything but its item, or names a domain
            that there is not.
    """
    if payload is None:
        return _named_by(key, "item_id"), None
    item = _ITEMS.read(payload)
    if key != item.item_id.encode():
        raise BadEvent("key_mismatch", f"key {key!r} is not `item_id` {item.item_id!r}")
    return item.item_id, _cleaned(item, clean_item, mends, domains)


def decode_forget(key: bytes | None, payload: bytes | None) -> str:
    """Return the id of the user whom a request to forget names; null as its value will do.

    Raises:
        BadEvent: it is no such request, or is keyed by anything but its user.
    """
    if payload is None:
        return _named_by(key, "user_id")
    user_id = _REQUESTS.read(payload).user_id
    if key != user_id.encode():
        raise BadEvent("key_mismatch", f"key {key!r} is not `user_id` {user_id!r}")
    return _named_by(key, "user_id")


def decode_line(
    line: bytes, now_ms: int | None = None, *, domains: Collection[str] | None = None
) -> Event | Item:
    """Return what a line of a file or a body of a request holds, told by its `type`.

    Args:
        line: One map, most often JSON.
        now_ms: The time that an event must not be far ahead of; None takes any.
        domains: As in `decode_event`.

    Raises:
        BadEvent: it is none of ours.
    """
    value = _LINES.read(line)
    if isinstance(value, Item):
        return _cleaned(value, clean_item, domains=domains)
    return _checked(value, now_ms, domains=domains)


def encode_event(event: Event | Item | Forget, wire: Wire = "msgpack") -> bytes:
    """Return the value of an event's, item's or request's record; it names its `type`."""
    return _ENCODE[wire](event)


def encode_recommendation(made: Recommendation, wire: Wire = "msgpack") -> bytes:
    """Return the value of a recommendation's record."""
    return _ENCODE[wire](made)


def decode_recommendation(payload: bytes | None) -> Recommendation:
    """Return the recommendation that a record holds.

    Raises:
        BadEvent: it is none.
    """
    if payload is None:
        raise BadEvent("undecodable", "value is null: lists are taken back")
    return _RECOMMENDATIONS.read(payload)


_ENCODE: Final = {
    "msgpack": msgspec.msgpack.Encoder().encode,
    "json": msgspec.json.Encoder().encode,
}


def _checked(
    event: Event,
    now_ms: int | None,
    mends: Counter[str] | None = None,
    domains: Collection[str] | None = None,
) -> Event:
    if now_ms is not None and event.ts > now_ms + AHEAD_MS:
        ahead = f"{(event.ts - now_ms) // 1000} s ahead of the record's {now_ms}"
        raise BadEvent("future_ts", f"`ts` {event.ts} is {ahead}")
    return _cleaned(event, clean_event, mends, domains)


def _cleaned(
    raw: R,
    clean: Callable[[R], R],
    mends: Counter[str] | None = None,
    domains: Collection[str] | None = None,
) -> R:
    try:
        done = clean(raw)
        if domains is not None and done.domain is not None and done.domain not in domains:
            rule = f"here there is only {', '.join(domains)}: add it to HEADRACE_DOMAINS"
            raise BadField("domain", done.domain, rule)
    except BadField as error:
        raise BadEvent(error.reason, str(error)) from error
    if mends is not None and done is not raw:
        mends.update(mended(raw, done))
    return done


def _named_by(key: bytes | None, field: str) -> str:
    """Return the id that the key of a record names; the value, null, does not."""
    if key is None:
        raise BadEvent("key_mismatch", "a record has neither key nor value")
    try:
        name = key.decode()
        check_id(field, name)
    except BadField as error:
        raise BadEvent(error.reason, str(error)) from error
    except UnicodeDecodeError as error:
        raise BadEvent("key_mismatch", f"key {key!r} is not UTF-8") from error
    return name


# What msgspec says of a value that does not fit -> the reason; the first that is found counts.
_SAYINGS: Final = (
    (re.compile(r"required field `type`|at `\$\.type`"), "wrong_type"),
    (re.compile(r"required field"), "missing_field"),
    (re.compile(r"`str` of length >= 1 "), "empty_id"),
    (re.compile(rf"`str` of length <= {MAX_ID_BYTES} "), "id_too_long"),
    (re.compile(r"`int` [<>]= .*`\$\.ts`"), "bad_ts"),
    (re.compile(r"at `\$\."), "mistyped_field"),
)
_FIELD: Final = re.compile(r"`\$\.(\w+)")
_SHOWN_BYTES = 100


def _named(error: Exception, payload: bytes) -> BadEvent:
    """Turn a decoder's complaint into ours, with the value that it is about."""
    problem = str(error)
    if isinstance(error, msgspec.ValidationError):
        for saying, reason in _SAYINGS:
            if saying.search(problem):
                return BadEvent(reason, f"{problem}{_value(problem, payload)}")
    return BadEvent("undecodable", f"{problem}, in {payload[:_SHOWN_BYTES]!r}")


def _value(problem: str, payload: bytes) -> str:
    """Return the value of the field that a complaint names; "" where it is not to be had."""
    named = _FIELD.search(problem)
    if named is None:
        return ""
    with suppress(ValueError, RecursionError):
        sent = bytes(_FIELDS.read(payload)[named[1]])
        return f", is {sent[:_SHOWN_BYTES]!r} as sent"
    return ""
