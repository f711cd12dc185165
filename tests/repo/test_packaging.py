"""What is installed: the wheel's contents, exact requirements, one owner of the package names."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("features", "ranker", "streams")
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([A-Za-z0-9.+!]+)( ; .+)?")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel could be made from, so that building leaves no trace here."""
    copy = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for name in (*PACKAGES, "deploy", "bench"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path) -> zipfile.ZipFile:
    build = "import setuptools.build_meta as b; print(b.build_wheel('dist'))"
    made = subprocess.run(
        [sys.executable, "-c", build], cwd=source, check=True, capture_output=True, text=True
    )
    return zipfile.ZipFile(source / "dist" / made.stdout.splitlines()[-1])


def test_the_wheel_holds_three_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        *PACKAGES,
        "headrace-0.1.0.dist-info",
    }


def test_the_wheel_holds_every_module_and_the_data(wheel: zipfile.ZipFile) -> None:
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for pattern in ("*.py", "*.xz", "*.css", "*.html", "*.js")
        for path in (ROOT / package).rglob(pattern)
    }
    assert on_disk - set(wheel.namelist()) == set()
    assert any(name.endswith(".xz") for name in on_disk)


def test_the_wheel_carries_licence_notice_and_entry_points(
    wheel: zipfile.ZipFile, project: dict[str, Any]
) -> None:
    info = "headrace-0.1.0.dist-info"
    for name in ("LICENSE", "NOTICE"):
        assert wheel.read(f"{info}/licenses/{name}") == (ROOT / name).read_bytes()
    entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    wanted = {**project["project"]["scripts"]}
    for group in project["project"]["entry-points"].values():
        wanted |= group
    for name, target in wanted.items():
        assert f"{name} = {target}\n" in entry_points + "\n"
        assert target.split(":")[0].replace(".", "/") + ".py" in wheel.namelist()


def test_no_other_distribution_owns_our_names() -> None:
    owners = packages_distributions()
    assert {name: set(owners[name]) for name in PACKAGES} == {
        name: {"headrace"} for name in PACKAGES
    }


RIVAL = "bench/requirements-quix.txt"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", RIVAL])
def test_requirements_are_exact_and_name_no_host(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert lines[1] == "#    make lock"
    for line in lines:
        assert not line or line.strip().startswith("#") or PIN.fullmatch(line), line
        assert "://" not in line
        assert "--" not in line


def test_what_the_project_depends_on_is_what_is_pinned(project: dict[str, Any]) -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = {f"{pin[1]}=={pin[2]}" for line in text.splitlines() if (pin := PIN.fullmatch(line))}
    assert set(project["project"]["dependencies"]) <= pinned
    development = (ROOT / "requirements-dev.in").read_text(encoding="utf-8")
    for line in development.splitlines():
        assert re.fullmatch(r"|#.*|-c requirements\.txt|[a-z-]+", line), line


def test_a_rival_of_the_benches_has_our_decoder_and_our_rocksdb() -> None:
    ours, theirs = (pins(name) for name in ("requirements.txt", RIVAL))
    assert theirs["quixstreams"] == "3.28.0"
    assert {name: theirs[name] for name in ("msgspec", "rocksdict")} == {
        name: ours[name] for name in ("msgspec", "rocksdict")
    }


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return {pin[1]: pin[2] for line in text.splitlines() if (pin := PIN.fullmatch(line))}
