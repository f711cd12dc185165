"""Both formats and both MessagePack libraries say the same; items, files and lists come through."""

import json

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events import Click, Event, Filters, Item, Purchase, Search
from streams.codec import (
    BadEvent,
    decode_event,
    decode_item,
    decode_line,
    decode_recommendation,
    encode_event,
    encode_recommendation,
)
from streams.lists import Reason, Recommendation, RecommendedItem, Trigger
from tests.streams.records import (
    CLICK,
    ITEM,
    NOW,
    SEARCH,
    Writer,
    plain_json,
    written_by,
)

untimed = settings(deadline=None)

ids = st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace())
optional_ids = st.none() | ids
amounts = st.none() | st.floats(0, 1e6)
contexts = st.none() | st.dictionaries(
    st.text(max_size=5), st.none() | st.text(max_size=5) | st.integers(-9, 9) | st.booleans()
)
stamps = st.integers(0, NOW)
filters = st.builds(
    Filters,
    category=st.none() | st.just("mugs") | st.just(("mugs", "cups")),
    brand=st.none() | st.just("acme"),
    price_min=st.none() | st.floats(0, 10),
    price_max=st.none() | st.floats(10, 20),
    exclude=st.none() | st.lists(ids, max_size=3).map(tuple),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        Click,
        event_id=ids,
        user_id=ids,
        item_id=ids,
        ts=stamps,
        session_id=optional_ids,
        search_id=optional_ids,
        position=st.none() | st.integers(0, 1000),
        price=amounts,
        context=contexts,
    ),
    st.builds(
        Search,
        event_id=ids,
        user_id=ids,
        query=st.text(max_size=40).map(lambda text: " ".join(text.split())).filter(str.isascii),
        ts=stamps,
        candidates=st.none() | st.lists(ids, max_size=5).map(tuple),
        filters=st.none() | filters,
        k=st.none() | st.integers(1, 100),
    ),
    st.builds(Purchase, event_id=ids, user_id=ids, item_id=ids, ts=stamps, price=amounts),
)


@untimed
@given(events)
def test_an_event_survives_either_format_and_either_library(event: Event) -> None:
    key = event.user_id.encode()
    packed, text = encode_event(event), encode_event(event, "json")
    assert packed[0] >= 0x80
    assert text[:1] == b"{"
    repacked = msgpack.packb(msgpack.unpackb(packed))
    for payload in (packed, text, repacked):
        assert decode_event(event.kind, key, payload, NOW) == event
        assert decode_line(payload, NOW) == event


@written_by
def test_a_catalogue_record_is_an_item_cleaned(write: Writer) -> None:
    expected = Item(item_id="i", title="Mug", category=("Kitchen",), price=4.5)
    for record in (ITEM, {**ITEM, "type": "item"}, {**ITEM, "title": " Mug ", "brand": ""}):
        assert decode_item(b"i", write(record)) == ("i", expected)


def test_a_null_value_deletes_the_item_of_the_key() -> None:
    assert decode_item("é".encode(), None) == ("é", None)


@pytest.mark.parametrize(
    ("key", "payload", "reason"),
    [
        (b"j", plain_json(ITEM), "key_mismatch"),
        (None, plain_json(ITEM), "key_mismatch"),
        (None, None, "key_mismatch"),
        (b"\xff", None, "key_mismatch"),
        (b"", None, "empty_id"),
        (b"i" * 129, None, "id_too_long"),
        (b"i", plain_json({**ITEM, "type": "click"}), "wrong_type"),
        (b"i", plain_json({**ITEM, "image_url": "javascript:0"}), "bad_value"),
        (b"i", plain_json({**ITEM, "attributes": {"x": 10**30}}), "mistyped_field"),
    ],
)
def test_a_bad_catalogue_record_is_named(
    key: bytes | None, payload: bytes | None, reason: str
) -> None:
    with pytest.raises(BadEvent) as caught:
        decode_item(key, payload)
    assert caught.value.reason == reason


def test_a_line_is_told_by_its_type() -> None:
    assert isinstance(decode_line(plain_json({"type": "click", **CLICK})), Click)
    assert isinstance(decode_line(plain_json({"type": "search", **SEARCH})), Search)
    assert isinstance(decode_line(plain_json({"type": "item", **ITEM})), Item)
    for line in (CLICK, {"type": "view", **CLICK}):
        with pytest.raises(BadEvent) as caught:
            decode_line(plain_json(line))
        assert caught.value.reason == "wrong_type"


def test_a_line_may_come_from_any_time_unless_a_time_is_given() -> None:
    line = plain_json({"type": "click", **CLICK})
    assert decode_line(line) == decode_line(line, NOW)
    with pytest.raises(BadEvent, match="86400 s ahead of the record's"):
        decode_line(line, NOW - 86_400_000)


MADE = Recommendation(
    rec_id="for_you:e",
    user_id="u",
    surface="for_you",
    trigger=Trigger(type="click", event_id="e"),
    generated_at=NOW + 5,
    event_ts=NOW,
    model_version="generators",
    items=(
        RecommendedItem(
            item_id="i",
            score=0.75,
            rank=1,
            reasons=(Reason(kind="viewed", item_id="j", weight=0.4),),
        ),
        RecommendedItem(item_id="k", score=0.5, rank=2),
    ),
)


def test_a_recommendation_survives_either_format() -> None:
    assert decode_recommendation(encode_recommendation(MADE)) == MADE
    assert decode_recommendation(encode_recommendation(MADE, "json")) == MADE


def test_a_recommendation_is_a_plain_map_for_any_consumer() -> None:
    plain = msgpack.unpackb(encode_recommendation(MADE))
    assert plain == json.loads(encode_recommendation(MADE, "json"))
    assert plain["items"][0] == {
        "item_id": "i",
        "score": 0.75,
        "rank": 1,
        "reasons": [{"kind": "viewed", "item_id": "j", "weight": 0.4}],
    }


def test_a_deleted_recommendation_is_refused() -> None:
    with pytest.raises(BadEvent, match="value is null"):
        decode_recommendation(None)
