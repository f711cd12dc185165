"""Shipped shops and folders like them: all decodes, ids keep apart, errors say where."""

import io
import json
import lzma
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cleaning import clean_event, clean_item
from features.events import Click, Event, Item, Purchase
from streams.data import BadData, Shop, in_time_order, lines, read_folder, read_lines, shops
from streams.data.folder import EVENTS, ITEMS

CLICK = {"type": "click", "event_id": "e", "user_id": "u", "item_id": "i", "ts": 1}


def click(number: int) -> dict[str, object]:
    return {**CLICK, "event_id": f"e{number}", "ts": number}


def folder(path: Path, protocol: object, **files: list[dict[str, Any]]) -> Path:
    (path / "protocol.json").write_text(json.dumps(protocol))
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (path / f"{name}.jsonl.xz").write_bytes(lzma.compress(text.encode()))
    return path


@pytest.mark.parametrize("shop", shops(), ids=lambda shop: shop.name)
def test_a_shipped_shop_is_whole_clean_and_prefixed(shop: Shop) -> None:
    items = list(shop.items())
    ids = {item.item_id for item in items}
    assert len(items) == len(ids) == shop.items_total
    assert all(item_id.startswith(shop.prefix) for item_id in ids)
    assert all(clean_item(item).item_id == item.item_id for item in items)
    total, newest = 0, 0
    for total, event in enumerate(shop.events(), start=1):
        assert event.ts >= newest
        newest = event.ts
        assert isinstance(event, Click | Purchase)
        assert event.item_id in ids
        assert event.user_id.startswith(shop.prefix)
        assert event.event_id.startswith(shop.prefix)
        assert event.session_id is None or event.session_id.startswith(shop.prefix)
        if total % 1000 == 0:
            assert clean_event(event) == event
    assert total == shop.events_total


def test_two_shops_merge_in_time_order_and_share_no_id() -> None:
    first, second = shops()
    users: dict[str, set[str]] = {first.prefix: set(), second.prefix: set()}
    newest = count = 0
    for event in in_time_order(shops()):
        count += 1
        assert event.ts >= newest
        newest = event.ts
        users[event.user_id.partition("-")[0] + "-"].add(event.user_id)
    assert count == first.events_total + second.events_total
    assert all(users.values())


@given(texts=st.lists(st.text(max_size=40), max_size=12), block=st.integers(8, 200))
def test_any_text_survives_prefixing_in_blocks_of_any_size(texts: list[str], block: int) -> None:
    path = Path("memory.jsonl")
    rows = [Item(item_id="i", title=text + '"user_id":"') for text in texts]
    data = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_opened", lambda _: io.BytesIO(data))
        patch.setattr(lines, "BLOCK_BYTES", block)
        read = list(read_lines(path, ITEMS, prefix="shop-"))
    assert [item.item_id for item in read] == ["shop-i"] * len(rows)
    assert [item.title for item in read] == [row.title for row in rows]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.xz"])
@pytest.mark.parametrize("block", [40, 1 << 20])
def test_a_bad_line_is_named_and_the_lines_before_it_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, block: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    text = "".join(json.dumps(click(n)) + "\n" for n in range(1, 8)) + "\n" + '{"type":"click"}\n'
    path = tmp_path / f"events{suffix}"
    path.write_bytes(lzma.compress(text.encode()) if suffix.endswith("xz") else text.encode())
    read: list[Event] = []
    with pytest.raises(BadData, match=r"events\.jsonl.*, line 9: .*event_id.*type.*click"):
        read.extend(read_lines(path, EVENTS))
    assert [event.ts for event in read] == list(range(1, 8))


def test_a_missing_and_a_cut_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no such file"):
        list(read_lines(tmp_path / "none.jsonl", EVENTS))
    cut = tmp_path / "cut.jsonl.xz"
    cut.write_bytes(lzma.compress(json.dumps(CLICK).encode() * 500)[:-20])
    with pytest.raises(BadData, match="cannot be read to its end"):
        list(read_lines(cut, EVENTS))


def test_a_prequential_folder(tmp_path: Path) -> None:
    protocol = {"name": "mine", "kind": "prequential", "k": [5], "events": "events.jsonl.xz"}
    data = read_folder(folder(tmp_path, protocol, events=[click(n) for n in range(10)]))
    assert [event.ts for event in data.events()] == list(range(10))
    assert list(data.items()) == []
    assert data.protocol.k == (5,)
    assert data.first_scored() == 3  # after the first 20 %
    with pytest.raises(BadData, match="no such file"):
        data.train()


def test_a_next_item_folder(tmp_path: Path) -> None:
    protocol = {
        "name": "mine",
        "kind": "next-item",
        "predictions": 1,
        "published": [{"x": 1}],
        "train": "train.jsonl.xz",
        "test": "test.jsonl.xz",
        "catalog": "items.jsonl.xz",
    }
    path = folder(tmp_path, protocol, train=[click(1)], test=[click(2)], items=[{"item_id": "i"}])
    data = read_folder(path)
    assert [event.ts for event in (*data.train(), *data.test())] == [1, 2]
    assert list(data.items()) == [Item(item_id="i")]
    assert data.protocol.predictions == 1


def test_the_first_scored_event_may_be_given(tmp_path: Path) -> None:
    protocol = {
        "name": "mine",
        "kind": "prequential",
        "events": "events.jsonl.xz",
        "score_from": 4,
        "total": 10,
    }
    assert read_folder(folder(tmp_path, protocol, events=[])).first_scored() == 4
    del protocol["score_from"]
    assert read_folder(folder(tmp_path, protocol, events=[])).first_scored() == 3


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        ({"name": "x", "kind": "leave-one-out"}, "leave-one-out"),
        ({"kind": "prequential", "events": "events.jsonl.xz"}, "name"),
        ({"name": "x", "kind": "prequential"}, "needs `events`"),
        ({"name": "x", "kind": "next-item", "train": "events.jsonl.xz"}, "needs `test`"),
        (
            {"name": "x", "kind": "search-click", "events": "events.jsonl.xz"},
            "needs `score_searches`",
        ),
        ({"name": "x", "kind": "prequential", "events": "gone.jsonl"}, "gone.jsonl"),
        ({"name": "x", "kind": "prequential", "k": [0]}, "k"),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_refused(
    tmp_path: Path, protocol: dict[str, object], message: str
) -> None:
    with pytest.raises(BadData, match=message):
        read_folder(folder(tmp_path, protocol, events=[]))


def test_a_folder_without_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"neither protocol\.json nor events\.jsonl"):
        read_folder(tmp_path)


@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.xz"])
def test_a_folder_with_events_alone_is_scored_event_by_event(tmp_path: Path, ending: str) -> None:
    lines = "".join(json.dumps(click(number)) + "\n" for number in range(10)).encode()
    packed = lzma.compress(lines) if ending.endswith(".xz") else lines
    (tmp_path / f"events{ending}").write_bytes(packed)
    data = read_folder(tmp_path)
    assert (data.protocol.kind, data.protocol.name) == ("prequential", tmp_path.name)
    assert [event.ts for event in data.events()] == list(range(10))
    assert (data.first_scored(), list(data.items())) == (3, [])
    (tmp_path / "items.jsonl").write_text('{"item_id": "i"}\n')
    assert list(read_folder(tmp_path).items()) == [Item(item_id="i")]


@pytest.mark.parametrize(
    ("items", "said", "left_out"),
    [
        ("abcdefghij", None, True),
        ("aacdefghij", None, False),  # somebody came back while the log only teaches
        ("abcdefghaa", None, True),  # what comes later must not be looked at
        ("aacdefghij", True, True),
        ("abcdefghij", False, False),
    ],
)
def test_owned_items_are_left_out_where_nobody_comes_back(
    tmp_path: Path, items: str, said: bool | None, left_out: bool
) -> None:
    rows = [{**click(n), "item_id": item} for n, item in enumerate(items)]
    protocol = {
        "name": "x",
        "kind": "prequential",
        "events": "events.jsonl.xz",
        "score_from": 6,
        "leave_out_owned": said,
    }
    assert read_folder(folder(tmp_path, protocol, events=rows)).leaves_out_owned() == left_out
