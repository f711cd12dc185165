"""Any bytes at all give what was asked for or a `BadEvent`."""

import json
from contextlib import suppress
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events import LAST_TS, Click, Item, Kind, Purchase, Search
from streams.codec import (
    BadEvent,
    decode_item,
    decode_line,
    decode_recommendation,
)
from tests.streams.records import (
    CLICK,
    ITEM,
    SEARCH,
    WRITERS,
    outcome,
    plain_json,
)

untimed = settings(deadline=None)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=10)
    | st.binary(max_size=10)
)
values = st.recursive(
    scalars,
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=8) | st.integers(0, 9), v),
    max_leaves=8,
)
fields = st.sampled_from(
    sorted(
        {*Click.__struct_fields__, *Search.__struct_fields__, *Purchase.__struct_fields__, "type"}
    )
)
near_events = st.builds(
    lambda event, changes: {**event, **changes},
    st.sampled_from([CLICK, SEARCH, {}]),
    st.dictionaries(fields, values, max_size=4),
)
kinds = st.sampled_from(list(Kind))
keys = st.none() | st.just(b"u") | st.binary(max_size=4)


@untimed
@given(kinds, keys, st.none() | st.binary(max_size=200), st.integers(0, LAST_TS))
def test_any_bytes_are_an_event_or_refused(
    kind: Kind, key: bytes | None, payload: bytes | None, now_ms: int
) -> None:
    assert isinstance(outcome(kind, key, payload, now_ms), str), "nobody draws an event by chance"


@untimed
@given(kinds, keys, near_events, st.randoms())
def test_almost_events_even_damaged_are_an_event_or_refused(
    kind: Kind, key: bytes | None, event: dict[str, Any], rng: Any
) -> None:
    packed = msgpack.packb(event)
    outcome(kind, key, packed)
    damaged = bytearray(packed)
    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
    outcome(kind, key, bytes(damaged))
    outcome(kind, key, packed[: rng.randrange(len(packed) + 1)])


@untimed
@given(st.binary(max_size=200), st.dictionaries(st.sampled_from(Item.__struct_fields__), values))
def test_any_bytes_are_an_item_a_line_a_recommendation_or_refused(
    noise: bytes, almost: dict[str, Any]
) -> None:
    packed = msgpack.packb({**ITEM, **almost})
    for payload in (noise, packed):
        for decode in (
            lambda p: decode_item(b"i", p),
            decode_line,
            decode_recommendation,
            lambda p: decode_item(p, None),
        ):
            with suppress(BadEvent):  # any other error fails the test
                decode(payload)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        b"",
        b" ",
        b"null",
        b"[1]",
        b"\x91\x01",
        b'"text"',
        b"\xc1",
        b"\x81",
        b'{"event_id":"\xff"}',
        b'{"event_id":"\\ud800"}',
        b'{"x":' + b"[" * 100_000,
        b'{"x":' * 100_000,
        b"\x81\xa1x" * 100_000,
        b"\x81\xa1x" + b"\x91" * 100_000,
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa1x\xdd\xff\xff\xff\xff",
        b'{"price": NaN}',
        b"\x81\x01\x02",
        msgpack.packb(CLICK) + b"\x00",
        plain_json(CLICK) + b"{}",
        json.dumps(CLICK).encode("utf-16"),
    ],
    ids=range(22),
)
def test_what_is_no_map_is_undecodable(payload: bytes | None) -> None:
    assert outcome(Kind.CLICK, b"u", payload) == "undecodable"


jsonable = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=5), v, max_size=3),
    max_leaves=5,
)


@untimed
@given(kinds, st.dictionaries(fields, jsonable, max_size=4), st.sampled_from([CLICK, SEARCH]))
def test_every_format_gives_the_same_event_or_the_same_reason(
    kind: Kind, changes: dict[str, Any], event: dict[str, Any]
) -> None:
    outcomes = [outcome(kind, b"u", write({**event, **changes})) for write in WRITERS.values()]
    assert outcomes == [outcomes[0]] * len(WRITERS)
