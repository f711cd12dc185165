"""The body of a request -> events, as the worker's own decoder has them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from fastapi import Request

from features.events import Event, Item
from streams.clock import now_ms
from streams.codec import BadEvent, decode_line
from streams.gateway.problems import Fault, Problem, fault_of
from streams.producer import new_id

MAX_EVENTS = 1_000
"""Events in one request."""


class _Said(msgspec.Struct):
    """What an event says of what may be left out."""

    event_id: object = None
    ts: object = None


_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_MAP: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_SAID = msgspec.json.Decoder(_Said)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Events:
    """What a list of events holds: `ids` has a place for each, None for one that is refused."""

    events: list[Event] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


async def body_of(request: Request) -> bytes:
    """Return the body.

    Raises:
        Problem: it is empty.
    """
    body = await request.body()
    if not body.strip():
        raise Problem(400, "the body is empty: send JSON")
    return body


def read_events(body: bytes, domains: Collection[str]) -> Events:
    """Read one event or a list of them; what is wrong with one does not touch the others.

    Raises:
        Problem: it is not JSON, an empty list, or too long a one.
    """
    raws = [body]
    if body.lstrip()[:1] == b"[":
        try:
            raws = [bytes(raw) for raw in _LIST.decode(body)]
        except (ValueError, RecursionError) as error:
            raise Problem(400, f"the body is no JSON: {error}") from error
    if not 0 < len(raws) <= MAX_EVENTS:
        raise Problem(422, f"{len(raws)} events, but 1 to {MAX_EVENTS} are allowed: send some more")
    read, now = Events(), now_ms()
    for position, raw in enumerate(raws):
        try:
            event = _event(raw, now, domains)
        except BadEvent as error:
            place = None if raws[0] is body else position
            read.faults.append(fault_of(error, place, _said(raw).event_id))
            read.ids.append(None)
        else:
            read.events.append(event)
            read.ids.append(event.event_id)
    return read


def read_map(body: bytes) -> dict[str, Any]:
    """Return the fields of a body that is one map.

    Raises:
        Problem: it is none.
    """
    try:
        return _MAP.decode(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, f"the body must be one JSON object: {error}") from error


def checked(fields: Mapping[str, Any], domains: Collection[str]) -> Event | Item:
    """Return the clean event or item that fields tell, by their `type`.

    Raises:
        BadEvent: they are none.
    """
    return decode_line(_encode(fields), now_ms(), domains=domains)


def _event(raw: bytes, now: int, domains: Collection[str]) -> Event:
    """Return an event; of one that leaves them out, the time is now and the id is drawn."""
    said = _said(raw)
    if said.event_id is None or said.ts is None:
        try:
            fields = _MAP.decode(raw)
        except (ValueError, RecursionError):
            pass  # the decoder below says what it is
        else:
            fields["event_id"] = said.event_id if said.event_id is not None else new_id()
            fields["ts"] = said.ts if said.ts is not None else now
            raw = _encode(fields)
    event = decode_line(raw, now, domains=domains)
    if isinstance(event, Item):
        raise BadEvent("wrong_type", f"`type` is 'item', which PUT /v1/items/{event.item_id} takes")
    return event


def _said(raw: bytes) -> _Said:
    try:
        return _SAID.decode(raw)
    except (ValueError, RecursionError):
        return _Said()
