"""What a person may get wrong on the command line is told before anything is read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "soon"], "'soon' is no time"),
        (["--from", "2026-01-31", "--to", "2026-01-30"], "is not before --to"),
        (["--report", "nowhere/page.html"], "create it first"),
    ],
)
def test_misuse_is_told(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["report", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert said in done.output
