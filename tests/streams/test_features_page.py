"""docs/features.md is what the catalogue says, and the command tells the same as JSON."""

from pathlib import Path

import msgspec
from typer.testing import CliRunner

from features.catalogue import FEATURES
from streams import features_page
from streams.cli import app

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["features", "list", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_page_of_features_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == features_page.markdown(), "headrace features list --markdown > docs/features.md"
    assert run("--markdown") == page


def test_json_has_every_feature_with_its_owner_and_range() -> None:
    found = msgspec.json.decode(run("--json"))
    assert [(one["owner"], one["name"]) for one in found] == [
        (feature.owner, feature.name) for feature in FEATURES
    ]
    for one, feature in zip(found, FEATURES, strict=True):
        assert one["missing"] == feature.missing
        assert one["low"] in {None, feature.low}
        assert one["high"] in {None, feature.high}
        assert set(one) == {"owner", "field", "name", "meaning", "unit", "low", "high", "missing"}


def test_people_get_a_line_a_feature() -> None:
    lines = run().splitlines()
    assert len(
        [line for line in lines if line.startswith(("user ", "item ", "standing ", "list "))]
    ) == len(FEATURES)
