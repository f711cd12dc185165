"""Setting up: uv is found, fetched or asked for; the targets are the documented ones."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A PATH with a shell's tools and nothing else."""
    place = tmp_path / "bin"
    place.mkdir()
    for tool in ("sh", "mkdir", "rm", "cat", "chmod", "dirname"):
        (place / tool).symlink_to(f"/bin/{tool}")
    return place


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def find_uv(path: Path, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "deploy" / "find-uv.sh", path / "python3", home],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_uv_on_the_path_is_used(bare: Path, tmp_path: Path) -> None:
    program(bare / "uv", "exit 0")
    assert find_uv(bare, tmp_path / "home").stdout == f"{bare}/uv\n"


@pytest.mark.parametrize("venv_works", [True, False])
def test_without_one_pip_installs_it_once(bare: Path, tmp_path: Path, venv_works: bool) -> None:
    home = tmp_path / "home"
    # Stands for Python: makes an environment or refuses, and "installs" uv into --target.
    program(
        bare / "python3",
        f"""
        if [ "$2" = venv ]; then
            {"true" if venv_works else "exit 1"}
            mkdir -p "$3/bin"; cat "$0" > "$3/bin/python"; chmod +x "$3/bin/python"; exit 0
        fi
        mkdir -p "$6/bin"; echo "#!/bin/sh" > "$6/bin/uv"; chmod +x "$6/bin/uv"
        echo "$0" > "{tmp_path}/installer"
        """,
    )
    for _ in range(2):
        assert find_uv(bare, home).stdout == f"{home}/bin/uv\n"
        installer = home / "venv" / "bin" / "python" if venv_works else bare / "python3"
        assert (tmp_path / "installer").read_text() == f"{installer}\n"
        program(bare / "python3", "exit 1")  # the second time it is not needed


def test_without_pip_the_cure_is_named(bare: Path, tmp_path: Path) -> None:
    program(bare / "python3", 'echo "No module named pip" >&2; exit 1')
    result = find_uv(bare, tmp_path / "home")
    assert result.returncode == 1
    assert result.stdout == ""
    assert "No module named pip" in result.stderr
    assert "apt install python3-venv" in result.stderr


def dry_run(*arguments: str) -> str:
    return subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_make_test_runs_every_check_and_every_test() -> None:
    commands = dry_run("test")
    for command in ("ruff check .", "ruff format --check .", "mypy", "lint-imports"):
        assert f".venv/bin/{command}\n" in commands
    assert commands.endswith(".venv/bin/python -m pytest\n")
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_torch_for_cpus_is_uvs_business() -> None:
    assert "--torch-backend=cpu" in dry_run("demo", "TORCH=cpu")
    assert "torch-backend" not in dry_run("demo")


def test_the_targets_are_documented() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert targets
    for target in targets[1].split():
        assert f"# make {target} " in text
