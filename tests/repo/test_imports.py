"""The contracts of import-linter hold, and would notice a breach."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("features/text.py", "import ranker", "shell over core"),
        ("ranker/metrics.py", "import streams", "shell over core"),
        ("ranker/metrics.py", "import kafka", "know nothing of Kafka"),
        ("streams/steps.py", "import streams.admin", "know nothing of Kafka"),
        ("streams/evaluate.py", "import prometheus_client", "know nothing of Kafka"),
        ("streams/dashboard/ring.py", "import kafka", "the dashboard's sums"),
        ("streams/dashboard/columns.py", "import streams.dashboard.collector", "from above"),
    ],
)
def test_a_breach_is_noticed(tmp_path: Path, module: str, line: str, contract: str) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in ("features", "ranker", "streams"):
        shutil.copytree(ROOT / package, tmp_path / package)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1
    (broken,) = [said for said in result.stdout.splitlines() if said.endswith("BROKEN")]
    assert contract in broken


def test_the_contracts_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout
