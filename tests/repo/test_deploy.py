"""The Dockerfile and the runbook name only what exists: files, commands, settings, services."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from streams.cli import app
from streams.settings import CONFIG, PREFIX, Settings
from tests.repo.commands import parses

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
IGNORE = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text()
RUNBOOK = (ROOT / "deploy" / "README.md").read_text()
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE_TEXT)["services"]
SETTINGS = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {CONFIG}


def instructions() -> list[list[str]]:
    joined = DOCKERFILE.replace("\\\n", " ")
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [line.split() for line in lines]


def copied() -> list[str]:
    """What the image takes from the repository."""
    return [
        source
        for name, *rest in instructions()
        if name == "COPY" and not rest[0].startswith("--from=")
        for source in rest[:-1]
    ]


def shell_lines() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", RUNBOOK, re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines()]


def ours(text: str) -> list[list[str]]:
    """Command lines of `headrace` in a runbook's shell lines and inline code."""
    found = re.findall(r"(?:^| )headrace ([a-z][^`<|]*)", text)
    return [shlex.split(arguments) for arguments in found]


def test_the_build_copies_only_what_exists_and_is_let_through() -> None:
    assert copied()
    for source in copied():
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORE.splitlines(), f"{source} is ignored by the builder"


def test_the_build_gets_all_that_the_package_is_made_of() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    packages = re.search(r"packages = \[(.*?)\]", project, re.DOTALL)
    assert packages is not None
    for name in re.findall(r'"([\w.]+)"', packages[1]):
        assert name.partition(".")[0] in copied(), name
    for name in ("README.md", "LICENSE", "NOTICE"):  # pyproject.toml names them
        assert name in copied()


def test_the_image_is_pinned_and_not_root() -> None:
    arguments = dict(re.findall(r"^ARG (\w+)=(\S*)", DOCKERFILE, re.MULTILINE))
    assert re.search(r":\d+\.\d+\.\d+-slim", arguments["PYTHON_IMAGE"])
    assert f'"uv=={arguments["UV_VERSION"]}"' in (ROOT / "deploy" / "uv.py").read_text()
    example = (ROOT / ".env.example").read_text()
    assert f"PYTHON_IMAGE={arguments['PYTHON_IMAGE']}\n" in example
    users = [rest for name, *rest in instructions() if name == "USER"]
    assert users == [["headrace"]]


def test_the_image_runs_our_command_with_settings_that_exist() -> None:
    commands = {name: yaml.safe_load(" ".join(rest)) for name, *rest in instructions()}
    assert commands["ENTRYPOINT"] == ["headrace"]
    parses(app, commands["CMD"])
    assert set(re.findall(rf"{PREFIX}\w+", DOCKERFILE)) <= SETTINGS
    data = re.search(r"HEADRACE_DATA_DIR=(\S+)", DOCKERFILE)
    assert data is not None
    assert ["VOLUME", data[1]] in instructions()


def test_the_image_checks_its_health_where_the_worker_answers() -> None:
    check = re.search(r"HEALTHCHECK .*?http://127\.0\.0\.1:(\d+)/healthz", DOCKERFILE, re.DOTALL)
    port = re.search(r"HEADRACE_METRICS_PORT=(\d+)", DOCKERFILE)
    assert check is not None
    assert port is not None
    assert check[1] == port[1]
    assert SERVICES["worker"]["environment"]["HEADRACE_METRICS_PORT"] == port[1]


def test_every_setting_of_the_runbook_exists() -> None:
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", RUNBOOK)) <= SETTINGS


def test_every_command_of_the_runbook_exists() -> None:
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", RUNBOOK, flags=re.DOTALL))
    commands = [command for line in [*shell_lines(), *inline] for command in ours(line)]
    assert len(commands) > 5
    for arguments in commands:
        parses(app, arguments)
    with pytest.raises(KeyError):
        parses(app, ["no-such-command"])


def test_every_service_and_port_of_the_runbook_exists() -> None:
    for line in shell_lines():
        if match := re.match(r"docker compose exec (?:--\S+ )?(\S+)", line):
            assert match[1] in SERVICES
    table = re.findall(r"^\| `(\w+)` \| .*\| ", RUNBOOK, re.MULTILINE)
    assert set(SERVICES) <= set(table)
    assert set(re.findall(r"localhost:(\d+)", RUNBOOK)) <= set(re.findall(r"\d{4,5}", COMPOSE_TEXT))


def test_every_file_of_the_runbook_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", RUNBOOK):
        assert (ROOT / "deploy" / target).exists(), target
    for name in re.findall(r"(?:-r |cp )([\w./-]+)", RUNBOOK):
        assert (ROOT / name).exists(), name
