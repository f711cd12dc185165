"""Rows of every version that ever was can be read; rows of those to come are refused clearly.

`rows` keeps one row of each version as bytes, as the program of its time wrote the events and
signals below. A new version adds a file here, and nothing changes the old ones.
"""

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from features.events import Click, Event, Item, Kind, Purchase, Search
from features.item import VERSION as ITEM_VERSION
from features.item import ItemRow, catalogued, decode_item, encode_item, new_item
from features.item import learn as learn_item
from features.predecessors import NO_PAIRS
from features.profile import VERSION as USER_VERSION
from features.profile import Profile, decode_profile, encode_profile, learn, new_profile
from features.rows import BadRow, Fields, Format, extended
from features.signals import Signals, signal_of

KEPT = Path(__file__).parent / "rows"
T = 1_700_000_000_000
EVENTS: tuple[Event, ...] = (
    Click(event_id="c1", user_id="ann", item_id="mug-1", ts=T, price=7.5),
    Search(event_id="s1", user_id="ann", query="red mug", ts=T + 5_000),
    Click(event_id="c2", user_id="ann", item_id="mug-2", ts=T + 9_000, search_id="s1", price=8.0),
    Purchase(event_id="p1", user_id="ann", item_id="mug-2", ts=T + 90_000, quantity=2, price=8.0),
    Click(event_id="c3", user_id="ann", item_id="köln", ts=T - 40 * 86_400_000),
)
USER_FIELDS = {1: Profile.__struct_fields__[:10]}
"""Version -> the fields that it had; the newest has all."""


def user() -> Profile:
    row = new_profile()
    for offset, event in enumerate(EVENTS):
        row = learn(row, event, event.kind * 8 + 3, 100 + offset)
    return replace(row, factors=bytes(range(64)), bias=-0.25)


def item() -> ItemRow:
    entry = Item(
        item_id="mug-2",
        title="Red mug",
        category=("Kitchen", "Mugs"),
        price=8.0,
        attributes={"size": 3, "handle": True, "glaze": "matt"},
        domain="shop",
    )
    row, ann = catalogued(new_item(), entry, 17), new_profile()
    for offset, event in enumerate(EVENTS):
        if not isinstance(event, Search) and event.item_id == "mug-2":
            row = learn_item(row, Signals(3, (signal_of(ann, event, 100 + offset),)))
        ann = learn(ann, event, event.kind * 8 + 3, 100 + offset)
    where = {"content": bytes(range(16)), "content_space": "a model"}
    return replace(row, factors=bytes(range(64)), bias=0.5, **where)


@pytest.mark.parametrize("version", range(1, USER_VERSION + 1))
def test_user_rows_of_every_version_say_what_they_said(version: int) -> None:
    read = decode_profile((KEPT / f"user_v{version}.msgpack").read_bytes())
    expected = user()
    since = set(Profile.__struct_fields__) - set(USER_FIELDS.get(version, read.__struct_fields__))
    unknown = {name: getattr(new_profile(), name) for name in since}
    assert read == replace(expected, **unknown)
    assert read.version == USER_VERSION
    assert decode_profile(encode_profile(read)) == read


def test_later_rows_of_version_1_tell_when_a_user_was_forgotten() -> None:
    """The field came before rows had upgrades, and did not raise the version."""
    fields = msgspec.msgpack.decode((KEPT / "user_v1.msgpack").read_bytes())
    read = decode_profile(msgspec.msgpack.encode([*fields, T]))
    old = decode_profile((KEPT / "user_v1.msgpack").read_bytes())
    assert read == replace(old, forgotten_at=T)


@pytest.mark.parametrize("version", range(1, ITEM_VERSION + 1))
def test_item_rows_of_every_version_say_what_they_said(version: int) -> None:
    read = decode_item((KEPT / f"item_v{version}.msgpack").read_bytes())
    expected = item()
    if version == 1:  # it knew no kinds of pairs, and when nothing fades there is no such time
        pairs = (dict(sum(map(Counter, expected.predecessors), Counter())), *NO_PAIRS[1:])
        expected = replace(expected, predecessors=pairs, as_of=expected.last_seen)
    if version < 6:  # nobody counted the last hour apart
        popularity = expected.popularity
        expected = replace(
            expected, popularity=replace(popularity, values=(0.0, *popularity.values[1:]))
        )
    if version < 5:  # nobody counted them
        expected = replace(expected, paired=new_item().paired)
    if version < 4:  # there was no tower
        expected = replace(expected, content=b"", content_space="")
    if version < 3 and expected.item is not None:  # there were no domains
        expected = replace(expected, item=replace(expected.item, domain=None))
    assert read == expected
    assert read.version == ITEM_VERSION
    assert decode_item(encode_item(read)) == read


def test_what_is_written_today_is_what_is_kept_of_today() -> None:
    assert encode_profile(user()) == (KEPT / f"user_v{USER_VERSION}.msgpack").read_bytes()
    assert encode_item(item()) == (KEPT / f"item_v{ITEM_VERSION}.msgpack").read_bytes()


def test_an_upgraded_row_goes_on_learning() -> None:
    old = decode_profile((KEPT / "user_v1.msgpack").read_bytes())
    event = Click(event_id="c4", user_id="ann", item_id="mug-3", ts=T + 100_000)
    after = learn(old, event, 3, 200)
    assert after.activity[Kind.CLICK].total == 4
    assert learn(after, EVENTS[0], 3, 201).skipped[0] == 1, "its ids are still known"


class Row(Struct, array_like=True, frozen=True):
    """Version 1 had (version, name), version 2 (version, first, last), version 3 adds age."""

    version: int = 3
    first: str = ""
    last: str = ""
    age: int = -1


def _two_names(fields: Fields) -> Fields:
    first, _, last = fields[1].partition(" ")
    return [fields[0], first, last]


FORMAT = Format(Row, 3, "a test row", {1: _two_names, 2: extended})


def packed(*fields: Any) -> bytes:
    return msgspec.msgpack.encode(fields)


def test_upgrades_follow_one_another() -> None:
    assert FORMAT.decode(packed(1, "Ada Lovelace")) == Row(3, "Ada", "Lovelace")
    assert FORMAT.decode(packed(2, "Ada", "Lovelace")) == Row(3, "Ada", "Lovelace")
    assert FORMAT.decode(packed(3, "Ada", "Lovelace", 36)) == Row(3, "Ada", "Lovelace", 36)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (packed(4, "Ada"), "a test row has version 4, this program reads 1 and 2 and 3: run a new"),
        (packed(0, "Ada"), "has version 0, this program reads 1 and 2 and 3"),
        (packed("x"), "has version x"),
        (packed([1]), "not a test row"),
        (packed(1, 7), "not a test row"),
        (packed(2, "Ada", 7), "not a test row"),
        (packed(3, "Ada", 7), "not a test row"),
        (b"", "not a test row"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(data: bytes, match: str) -> None:
    with pytest.raises(BadRow, match=match):
        FORMAT.decode(data)


nested = st.recursive(st.integers(-3, 9), st.lists)


@given(st.binary(max_size=40) | nested.map(msgspec.msgpack.encode))
def test_any_bytes_are_a_row_or_a_bad_row(data: bytes) -> None:
    with suppress(BadRow):
        assert FORMAT.decode(data).version == 3


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "not a user row"),
        (b"\xc1", "not a user row"),
        (b"\x91" * 100_000, "not a user row"),
        (b"\x91\x63", "has version 99, this program reads 1 and 2"),
    ],
)
def test_bytes_that_are_no_user_row_are_refused(data: bytes, match: str) -> None:
    with pytest.raises(BadRow, match=match):
        decode_profile(data)
