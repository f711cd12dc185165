"""A record either keeps every rule or is refused for a reason that is named."""

import json
from collections import Counter
from typing import Any

import msgpack
import pytest

from features.events import LAST_TS, Click, Kind, Search
from streams.codec import (
    AHEAD_MS,
    BadEvent,
    decode_event,
    decode_item,
)
from tests.streams.records import (
    CLICK,
    ITEM,
    NOW,
    SEARCH,
    Writer,
    outcome,
    plain_json,
    written_by,
)

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("mistyped_field", {"user_id": 5}),
    ("mistyped_field", {"user_id": None}),
    ("mistyped_field", {"ts": "now"}),
    ("mistyped_field", {"ts": 1.5}),
    ("mistyped_field", {"price": -1}),
    ("mistyped_field", {"price": "4.50"}),
    ("mistyped_field", {"price": 1e300}),
    ("mistyped_field", {"position": 2**60}),
    ("mistyped_field", {"context": {"nested": {}}}),
    ("mistyped_field", {"context": {str(n): n for n in range(65)}}),
    ("empty_id", {"event_id": ""}),
    ("empty_id", {"item_id": " \t"}),
    ("empty_id", {"session_id": ""}),
    ("id_too_long", {"event_id": "e" * 129}),
    ("id_too_long", {"item_id": "é" * 65}),
    ("key_mismatch", {"user_id": "v"}),
    ("key_mismatch", {"user_id": "u "}),
    ("bad_ts", {"ts": -1}),
    ("bad_ts", {"ts": LAST_TS + 1}),
    ("future_ts", {"ts": NOW + AHEAD_MS + 1}),
    ("wrong_type", {"type": "search"}),
    ("wrong_type", {"type": "item"}),
    ("wrong_type", {"type": None}),
    ("wrong_type", {"type": 7}),
]


@written_by
@pytest.mark.parametrize(("reason", "change"), REFUSED, ids=str)
def test_a_broken_rule_is_named(write: Writer, reason: str, change: dict[str, Any]) -> None:
    assert outcome(Kind.CLICK, b"u", write({**CLICK, **change})) == reason


@written_by
@pytest.mark.parametrize("name", list(CLICK))
def test_a_missing_field_is_named(write: Writer, name: str) -> None:
    rest = {key: value for key, value in CLICK.items() if key != name}
    with pytest.raises(BadEvent, match=f"missing required field `{name}`") as caught:
        decode_event(Kind.CLICK, b"u", write(rest), NOW)
    assert caught.value.reason == "missing_field"


def test_the_message_shows_the_value_the_rule_and_the_cure() -> None:
    payload = plain_json({**CLICK, "price": "4.50"})
    with pytest.raises(BadEvent) as caught:
        decode_event(Kind.CLICK, b"u", payload, NOW)
    assert str(caught.value) == (
        "Expected `float | null`, got `str` - at `$.price`, is b'\"4.50\"' as sent; "
        "send the type and range that the rule names, or leave the field out"
    )


@pytest.mark.parametrize(
    "number", ["1" + "0" * 40, "-" + "9" * 40, "1e5", "1e400", "-0.0"], ids=lambda n: n[:6]
)
def test_numbers_that_fit_no_machine_word_are_refused(number: str) -> None:
    payload = json.dumps({**CLICK, "ts": "?"}).replace('"?"', number).encode()
    assert outcome(Kind.CLICK, b"u", payload) in {"bad_ts", "mistyped_field"}
    payload = json.dumps({**CLICK, "position": "?"}).replace('"?"', number).encode()
    assert outcome(Kind.CLICK, b"u", payload) == "mistyped_field"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(number: float) -> None:
    for change in ({"price": number}, {"context": {"x": number}}):
        assert outcome(Kind.CLICK, b"u", msgpack.packb({**CLICK, **change})) == "mistyped_field"


@written_by
def test_an_event_at_the_edge_of_every_rule_is_taken(write: Writer) -> None:
    event = {
        **CLICK,
        "type": "click",
        "user_id": "é" * 64,
        "ts": NOW + AHEAD_MS,
        "price": None,
        "position": 0,
        "context": {"device": "phone", "age": 4, "new": True, "score": 0.5, "none": None},
        "not_yet_invented": [{"deep": [1, 2.5, None]}],
    }
    decoded = decode_event(Kind.CLICK, ("é" * 64).encode(), write(event), NOW)
    assert isinstance(decoded, Click)
    assert decoded.context == event["context"]
    assert decoded.kind is Kind.CLICK


def test_json_may_have_a_byte_order_mark_and_white_space() -> None:
    plain = plain_json(CLICK)
    expected = decode_event(Kind.CLICK, b"u", plain, NOW)
    for before in (b"\xef\xbb\xbf", b"\n\t "):
        assert decode_event(Kind.CLICK, b"u", before + plain, NOW) == expected


def test_events_come_out_clean() -> None:
    payload = plain_json({**SEARCH, "query": "  Red \n mug"})
    decoded = decode_event(Kind.SEARCH, b"u", payload, NOW)
    assert isinstance(decoded, Search)
    assert decoded.query == "Red mug"


@written_by
def test_mended_fields_are_counted_by_name(write: Writer) -> None:
    mends: Counter[str] = Counter()
    decode_event(Kind.SEARCH, b"u", write(SEARCH | {"query": " red  mug"}), NOW, mends)
    bought = CLICK | {"currency": "eur", "quantity": 1e6, "price": 4.5}
    decode_event(Kind.PURCHASE, b"u", write(bought), NOW, mends)
    decode_event(Kind.PURCHASE, b"u", write(bought | {"quantity": 2}), NOW, mends)
    decode_item(b"i", write(ITEM | {"category": ["Kitchen > Mugs"], "tags": []}), mends)
    assert mends == {"query": 1, "currency": 2, "quantity": 1, "category": 1}


def test_what_is_clean_counts_as_nothing() -> None:
    mends: Counter[str] = Counter()
    for kind, event in ((Kind.CLICK, CLICK), (Kind.SEARCH, SEARCH), (Kind.PURCHASE, CLICK)):
        decode_event(kind, b"u", plain_json(event), NOW, mends)
    decode_item(b"i", plain_json(ITEM), mends)
    decode_item(b"i", None, mends)
    assert not mends
