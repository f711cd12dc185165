"""`headrace evaluate` from files to figures and page: events alone, searches, components."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from features.events import Click, Event, Item, Search
from streams.cli import app
from streams.data import read_folder
from streams.evaluate import evaluate
from tests.pages import check_alone, read

NOW = 1_700_000_000_000
MEASURED = ("seconds", "events_per_s", "list_ms_p50", "list_ms_p99")
EVIL = "<script>alert(1)</script>"


def write(path: Path, values: list[Event] | list[Item]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(value) + b"\n" for value in values))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder with nothing but events, of a few users who go round."""
    folder = tmp_path / EVIL.replace("/", "-")
    folder.mkdir()
    clicks: list[Event] = [
        Click(
            event_id=f"{n}",
            user_id=f"u{n % 7}",
            item_id=f"{EVIL}{(n // 7) % 9}",
            ts=NOW + 60_000 * n,
        )
        for n in range(400)
    ]
    write(folder / "events.jsonl", clicks)
    return folder


@pytest.fixture
def searches(tmp_path: Path) -> Path:
    """Searches, each with a click, but every tenth without."""
    words = ("red", "blue", "green", "yellow")
    items = [Item(item_id=f"i{n}", title=f"{word} mug") for n, word in enumerate(words)]
    events: list[Event] = []
    for n in range(200):
        who = f"u{n}"
        ts = NOW + n * 1_000
        events.append(Search(event_id=f"s{n}", user_id=who, query=f"{words[n % 4]} mug", ts=ts))
        if n % 10:
            click = Click(
                event_id=f"c{n}", user_id=who, item_id=f"i{n % 4}", ts=ts + 1, search_id=f"s{n}"
            )
            events.append(click)
    write(tmp_path / "events.jsonl", events)
    write(tmp_path / "items.jsonl", items)
    protocol = {
        "name": "mugs",
        "kind": "search-click",
        "k": [1, 3],
        "events": "events.jsonl",
        "catalog": "items.jsonl",
        "score_searches": [101, 200],
    }
    (tmp_path / "protocol.json").write_bytes(msgspec.json.encode(protocol))
    return tmp_path


def run(*arguments: str) -> dict[str, Any]:
    told = CliRunner().invoke(app, ["evaluate", *arguments, "--json"])
    assert told.exit_code == 0, told.output
    found: dict[str, Any] = msgspec.json.decode(told.stdout)
    return found


def test_events_alone_make_a_report(plain: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    found = run(str(plain), "--report", str(report))
    assert found["predictions"] == 400 - 400 // 5
    assert "components" not in found
    made = report.read_text(encoding="utf-8")
    check_alone(made)
    text = "".join(read(made).text)
    assert plain.name in text
    assert found["configuration"] in text
    (curve,) = found["curves"]
    assert sum(point["lists"] for point in curve["points"]) == found["predictions"]


def test_components_change_no_figure_and_the_same_command_gives_the_same(plain: Path) -> None:
    found = [run(str(plain), *more) for more in ([], [], ["--components"])]
    components = found[2].pop("components")
    for one in found:
        for name in MEASURED:
            assert one.pop(name) > 0
    assert found[0] == found[1] == found[2]
    assert all(one["found"] <= found[0]["candidate_recall"] for one in components)
    best = components[0]
    assert best["rates"]["hr"] > 0.5  # everybody goes round in the same way


def test_lists_differ_as_the_settings_say_and_the_ranker_learns_the_same(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = (("left",), ("right",))
    items = [Item(item_id=f"{EVIL}{n}", category=sides[n // 5]) for n in range(9)]
    write(plain / "items.jsonl", items)
    before = run(str(plain))
    monkeypatch.setenv("HEADRACE_DIVERSITY", "1")
    after = run(str(plain))
    assert after["configuration"] != before["configuration"]
    assert after["auc"] == before["auc"]  # of all candidates, in whatever order they are shown
    assert after["accuracy"] == before["accuracy"]  # the first item stays the first
    assert after["ndcg@20"] != before["ndcg@20"]


def test_a_search_set_is_told_by_segment_and_component(searches: Path) -> None:
    found = evaluate(read_folder(searches), components=True)
    assert found.figures["predictions"] == 90
    assert found.figures["hr@1"] == found.figures["accuracy"] > 0.9
    assert found.figures["hr@3"] >= found.figures["hr@1"]
    groups = {(one.group, one.name): one.predictions for one in found.segments}
    assert groups["how it was found", "by a search"] == 90
    assert groups["touches of the user before", "0, a new user"] == 90
    assert found.components is not None
    alone = {one.name: one for one in found.components}
    assert alone["title"].rates.hr > 0.9
    assert alone["own_count"].found == 0


def test_a_report_that_cannot_be_written_is_refused_before_the_walk(
    plain: Path, tmp_path: Path
) -> None:
    where = tmp_path / "nowhere" / "report.html"
    told = CliRunner().invoke(app, ["evaluate", str(plain), "--report", str(where)])
    assert told.exit_code == 2
    assert "create it first" in " ".join(told.output.split())


def test_a_terminal_is_told_the_same(searches: Path) -> None:
    told = CliRunner().invoke(app, ["evaluate", str(searches), "--components"])
    assert told.exit_code == 0, told.output
    for said in ("By segment", "together", "words of the query", "Calibration", "candidate_recall"):
        assert said in told.stdout
