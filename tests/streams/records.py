"""Records as producers may write them, and what becomes of them."""

import json
from collections.abc import Callable

import msgpack
import msgspec
import pytest

from features.events import Event, Kind
from streams.codec import REASONS, BadEvent, decode_event

NOW = 1_700_000_000_000
CLICK = {"event_id": "e", "user_id": "u", "item_id": "i", "ts": NOW}
SEARCH = {"event_id": "e", "user_id": "u", "query": "mug", "ts": NOW}
ITEM = {"item_id": "i", "title": "Mug", "category": ["Kitchen"], "price": 4.5}

Writer = Callable[[object], bytes]


def plain_json(value: object) -> bytes:
    return json.dumps(value).encode()


WRITERS: dict[str, Writer] = {
    "msgpack": msgpack.packb,
    "msgspec.msgpack": msgspec.msgpack.encode,
    "msgspec.json": msgspec.json.encode,
    "json": plain_json,
}
written_by = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())


def outcome(kind: Kind, key: bytes | None, payload: bytes | None, now_ms: int = NOW) -> Event | str:
    """Return the event, or the reason for its refusal. Any other error fails the test."""
    try:
        return decode_event(kind, key, payload, now_ms)
    except BadEvent as error:
        refusal = error
    assert refusal.reason in REASONS
    assert str(refusal).endswith(REASONS[refusal.reason])
    assert len(str(refusal)) < 1000
    return refusal.reason
