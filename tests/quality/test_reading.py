"""Folders, files and the shipped shops are read whole; what is wrong in them is told."""

import lzma
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.codec import REASONS
from streams.data import BadData, shops
from streams.quality.reading import parts_of, parts_of_shop, profile_files
from streams.quality.result import Quality

GOOD = b'{"type":"click","event_id":"%d","user_id":"ann","item_id":"mug","ts":%d}\n'
CUP = b'{"item_id":"cup","title":"Cup","price":2}\n'
BAD = {
    "undecodable": b"{not json\n",
    "missing_field": b'{"type":"click","event_id":"e","user_id":"ann","ts":1}\n',
    "empty_id": b'{"type":"click","event_id":"e","user_id":"","item_id":"mug","ts":1}\n',
    "bad_ts": b'{"type":"click","event_id":"e","user_id":"ann","item_id":"mug","ts":-1}\n',
    "wrong_type": b'{"type":"gaze","event_id":"e","user_id":"ann","item_id":"mug","ts":1}\n',
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["features", "profile", *arguments])


def profiled(path: Path) -> Quality:
    return profile_files(path.name, parts_of(path), lambda: None)


def folder(path: Path, **files: bytes) -> Path:
    protocol = {"name": "mine", "kind": "prequential", "events": "events.jsonl"}
    names = {"events": "events.jsonl", "catalog": "items.jsonl"}
    for part, content in files.items():
        (path / names[part]).write_bytes(content)
        protocol[part] = names[part]
    (path / "protocol.json").write_bytes(msgspec.json.encode(protocol))
    return path


def test_a_folders_catalogue_and_events_are_read(tmp_path: Path) -> None:
    found = profiled(folder(tmp_path, events=GOOD % (1, 5) + b"\n" + GOOD % (2, 3), catalog=CUP))
    assert (found.events["click"], found.items, found.uncatalogued) == (2, 1, 1)
    assert found.behind_log.count == 1
    assert found.source == tmp_path.name


@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.xz"])
def test_a_file_may_hold_events_and_items(tmp_path: Path, name: str) -> None:
    content = b'{"type":"item","item_id":"mug"}\n' + GOOD % (1, 5)
    packed = lzma.compress(content) if name.endswith("xz") else content
    (tmp_path / name).write_bytes(packed)
    found = profiled(tmp_path / name)
    assert (found.events["click"], found.items, found.uncatalogued) == (1, 1, 0)


def test_what_is_wrong_is_counted_by_reason_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = b"".join(BAD.values()) + GOOD % (1, 5) + BAD["empty_id"]
    (tmp_path / "log.jsonl").write_bytes(lines)
    found = profiled(tmp_path / "log.jsonl")
    assert {one.reason: one.count for one in found.invalid} == dict.fromkeys(BAD, 1) | {
        "empty_id": 2
    }
    assert set(BAD) <= set(REASONS)
    assert found.invalid[0].examples[0].startswith("log.jsonl, line 3: ")
    assert found.events["click"] == 1


def test_the_shipped_shops_are_read_whole() -> None:
    for shop in shops():
        found = profile_files(shop.name, parts_of_shop(shop), lambda: None)
        assert sum(found.events.values()) == shop.events_total
        assert found.items == shop.items_total
        assert (found.invalid, found.repeated_ids, found.uncatalogued) == ((), 0, 0)
        assert found.behind_log.count == 0
        assert found.estimated == ()


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no such folder or file"):
        profiled(tmp_path / "nowhere")
    with pytest.raises(BadData, match=r"protocol\.json"):
        profiled(tmp_path)
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    with pytest.raises(BadData, match="no line"):
        profiled(tmp_path / "empty.jsonl")


def test_the_command_prints_a_table_json_and_a_page(tmp_path: Path) -> None:
    where = folder(tmp_path, events=GOOD % (1, 5) + BAD["empty_id"], catalog=CUP)
    page = tmp_path / "report.html"
    done = run(str(where), "--report", str(page))
    assert done.exit_code == 0, done.output
    assert "Missing values" in done.stdout
    assert "empty_id" in done.stdout
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    done = run(str(where), "--json")
    found = msgspec.json.decode(done.stdout, type=Quality)
    assert found == profiled(where)


@pytest.mark.parametrize(
    "arguments", [[], ["somewhere", "--live"], ["--shop", "online_retail", "--live"]]
)
def test_one_source_must_be_named(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
