"""Setting up: Python and make are enough; the targets are the documented ones."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.repo.fresh import Setup, bare_python, index, uv_wheel

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy" / "uv.py"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare_python(tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def version() -> str:
    pinned = re.search(r'"uv==([\d.]+)"', SCRIPT.read_text(encoding="utf-8"))
    assert pinned
    return pinned[1]


@pytest.fixture
def setup(python: Path, tmp_path: Path) -> Setup:
    home = tmp_path / "home"
    home.mkdir()
    return Setup(python, SCRIPT, home)


@pytest.fixture
def wheels(tmp_path: Path, version: str) -> dict[str, str]:
    """Settings by which pip finds its packages in a folder, with no network."""
    uv_wheel(tmp_path / "wheels", version)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels")}


@pytest.fixture
def served(tmp_path: Path, version: str) -> Iterator[str]:
    with index(tmp_path / "index", version) as address:
        yield address


@pytest.mark.parametrize("module", ["pip", "ensurepip", "venv"])
def test_the_bare_python_is_one(python: Path, module: str) -> None:
    answer = subprocess.run([python, "-m", module, "--help"], capture_output=True, check=False)
    assert answer.returncode != 0


def test_python_alone_is_enough_to_get_uv(setup: Setup, wheels: dict[str, str]) -> None:
    assert setup.told("pip", "install", "a b", **wheels)["arguments"] == ["pip", "install", "a b"]
    shutil.rmtree(wheels["PIP_FIND_LINKS"])
    assert setup.told("venv")["arguments"] == ["venv"]  # it is installed once


def test_uv_takes_the_index_that_pips_file_names(setup: Setup, served: str, tmp_path: Path) -> None:
    found = tmp_path / "found"
    found.mkdir()
    file = tmp_path / "pip.conf"
    file.write_text(
        f"[global]\nindex-url = {served}\nextra-index-url =\n  {served}/more\n  {served}/most\n"
        f"trusted-host = 127.0.0.1\n[install]\nfind-links = {found} {tmp_path}/absent\n"
    )
    told = setup.told(PIP_CONFIG_FILE=str(file))["environment"]
    assert told["UV_DEFAULT_INDEX"] == served
    assert told["UV_INDEX"] == f"{served}/more {served}/most"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_INSECURE_HOST"] == "127.0.0.1"
    assert told["UV_FIND_LINKS"] == str(found)


def test_pips_variables_prevail_over_its_file(setup: Setup, served: str, tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = http://127.0.0.1:9/old\n")
    told = setup.told(PIP_CONFIG_FILE=str(file), PIP_INDEX_URL=served)["environment"]
    assert told["UV_DEFAULT_INDEX"] == served


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_what_uv_is_told_itself_prevails(setup: Setup, served: str, name: str) -> None:
    told = setup.told(**{"PIP_INDEX_URL": served, name: "http://127.0.0.1:9/mine"})["environment"]
    given = {key: value for key, value in told.items() if key.startswith("UV_")}
    assert given == {name: "http://127.0.0.1:9/mine"}


def test_where_pip_is_told_nothing_uv_is_not_either(setup: Setup, wheels: dict[str, str]) -> None:
    setup.told(**wheels)
    told = setup.told(PIP_CONFIG_FILE=os.devnull)["environment"]
    assert not [name for name in told if name.startswith(("UV_", "SSL_"))]


def test_certificates_of_pip_are_those_of_uv(setup: Setup, wheels: dict[str, str]) -> None:
    setup.told(**wheels)
    assert setup.told(PIP_CERT="/etc/a.pem")["environment"]["SSL_CERT_FILE"] == "/etc/a.pem"


def test_without_a_home_uv_keeps_its_cache_beside_itself(
    setup: Setup, wheels: dict[str, str]
) -> None:
    told = setup.told(**wheels, HOME="/dev/null")["environment"]
    assert told["UV_CACHE_DIR"] == str(setup.home / "uv" / "cache")
    told = setup.told(**wheels, HOME="/dev/null", UV_CACHE_DIR="/a")["environment"]
    assert told["UV_CACHE_DIR"] == "/a"


@pytest.mark.parametrize("habit", ["PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY"])
def test_habits_of_pip_do_no_harm(setup: Setup, wheels: dict[str, str], habit: str) -> None:
    value = ":all:" if habit == "PIP_NO_BINARY" else "1"
    setup.told(**wheels, **{habit: value})


def test_without_an_index_the_cure_is_named_and_the_next_try_is_a_fresh_one(
    setup: Setup, wheels: dict[str, str], version: str
) -> None:
    failed = setup.run("venv", PIP_NO_INDEX="1")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert f"No matching distribution found for uv=={version}" in failed.stderr
    assert "PIP_INDEX_URL" in failed.stderr
    assert "Traceback" not in failed.stderr
    setup.told(**wheels)


def test_a_damaged_pip_is_refused(python: Path, tmp_path: Path, wheels: dict[str, str]) -> None:
    shutil.copy(SCRIPT, tmp_path)
    (wheel,) = SCRIPT.parent.glob("pip-*.whl")
    (tmp_path / wheel.name).write_bytes(wheel.read_bytes()[:-1])
    failed = Setup(python, tmp_path / SCRIPT.name, tmp_path).run("venv", **wheels)
    assert failed.returncode == 1
    assert wheel.name in failed.stderr
    assert "sha256" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_the_shipped_pip_is_named_with_its_licence() -> None:
    (wheel,) = SCRIPT.parent.glob("*.whl")
    name, number = wheel.name.split("-")[:2]
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert f"{name} {number}" in notice
    assert f"deploy/{wheel.name}" in notice
    assert "MIT" in notice


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
    side_by_side = "-n logical --maxprocesses 4 --dist loadfile"
    assert commands.endswith(f".venv/bin/python -m pytest {side_by_side}\n")
    assert "make test" in (ROOT / ".ci" / "run").read_text()


def test_setting_up_calls_no_program_but_python_and_the_shells() -> None:
    commands = dry_run("demo").replace("\\\n", "").splitlines()
    called = {next(word for word in line.split() if "=" not in word) for line in commands}
    assert called == {"python3", "echo", "touch", ".venv/bin/headrace"}


def test_torch_for_cpus_is_uvs_business() -> None:
    assert "--torch-backend=cpu" in dry_run("demo", "TORCH=cpu")
    assert "torch-backend" not in dry_run("demo")


def test_the_targets_are_documented() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert targets
    for target in targets[1].split():
        assert f"# make {target} " in text
