"""docker-compose.yml is valid, and names only what exists: commands, settings, files, ports."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streams.cli import app
from streams.settings import PREFIX, Settings
from tests.repo.commands import parses

ROOT = Path(__file__).parents[2]
SCHEMA = Path(__file__).parent / "schemas" / "compose-spec.json"
TEXT = (ROOT / "docker-compose.yml").read_text()
OURS = ("topics", "worker", "gateway", "shoppers")
_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def dotenv() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled(text: str, given: dict[str, str]) -> str:
    """Substitute variables as compose does: ${X}, ${X-default}, ${X:-default}, ${X:?message}."""

    def value(match: re.Match[str]) -> str:
        name, rest = match["name"], match["rest"]
        if given.get(name):
            return given[name]
        if rest.startswith((":-", "-")):
            return rest.lstrip(":").removeprefix("-")
        pytest.fail(f"{match[0]} has no default and is not in .env.example")

    return _VARIABLE.sub(value, text)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(filled(TEXT, dotenv()))
    return loaded


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


def test_the_file_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []
    broken = json.loads(json.dumps(compose))
    broken["services"]["kafka"]["helthcheck"] = {}
    assert not validator.is_valid(broken)  # the schema does refuse what it does not know


def test_every_command_is_one_of_ours(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        parses(app, services[name]["command"])


def test_every_setting_exists_and_its_value_is_allowed(
    services: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in OURS:
        with monkeypatch.context() as patch:
            given = {name: value for name, value in dotenv().items() if name.startswith(PREFIX)}
            for variable, value in (given | services[name]["environment"]).items():
                assert variable.startswith(PREFIX)
                patch.setenv(variable, value)
            Settings()


def test_every_variable_of_the_example_is_used_or_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    used = {match["name"] for match in _VARIABLE.finditer(TEXT)}
    for name in dotenv():
        assert name in used or name.startswith(PREFIX), f"{name} of .env.example does nothing"
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    monkeypatch.chdir(tmp_path)
    Settings()  # the same file is also read by `headrace` itself


def test_only_workers_are_asked_what_the_image_asks(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        if name not in {"worker", "gateway"}:
            assert services[name]["healthcheck"] == {"disable": True}


def test_the_gateway_is_asked_for_its_health_where_it_answers(
    services: dict[str, dict[str, Any]],
) -> None:
    gateway = services["gateway"]
    port = gateway["environment"]["HEADRACE_GATEWAY_PORT"]
    assert f"127.0.0.1:{port}/healthz" in gateway["healthcheck"]["test"][-1]
    compile(gateway["healthcheck"]["test"][-1], "healthcheck", "exec")
    host, _, target = gateway["ports"][0].rsplit(":", 2)
    assert (host, target) == ("127.0.0.1", port)  # plain text stays on this machine


def test_images_are_pinned(services: dict[str, dict[str, Any]]) -> None:
    for service in services.values():
        _, _, tag = service["image"].partition(":")
        assert re.search(r"\d+\.\d+\.\d+", tag), service["image"]


def test_every_path_exists(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        build = services[name]["build"]
        assert (ROOT / build["context"] / build["dockerfile"]).is_file()
    for path in re.findall(r"\b(?:deploy|docs)/[\w./-]*\w", TEXT):
        assert (ROOT / path).exists(), path


def test_every_build_argument_is_one_of_the_dockerfile(
    services: dict[str, dict[str, Any]],
) -> None:
    declared = set(
        re.findall(r"^ARG (\w+)", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)
    )
    for name in OURS:
        assert set(services[name]["build"]["args"]) <= declared


def test_settings_of_the_example_reach_our_services(services: dict[str, dict[str, Any]]) -> None:
    for name in OURS:
        assert services[name]["env_file"] == [{"path": ".env", "required": False}]


def test_services_wait_for_what_they_need(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        for other, need in service.get("depends_on", {}).items():
            if need["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"], f"{name} waits in vain"
            else:
                assert services[other]["restart"] == "no", f"{other} never completes"


def test_everything_is_bounded(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        assert "mem_limit" in service, name
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}, name


def test_kafka_s_listeners_agree(services: dict[str, dict[str, Any]]) -> None:
    kafka, settings = services["kafka"], services["worker"]["environment"]
    environment = kafka["environment"]
    inside = environment["KAFKA_ADVERTISED_LISTENERS"].split(",")[0].partition("://")[2]
    assert settings["HEADRACE_BROKER"] == inside
    assert inside in kafka["healthcheck"]["test"][1]
    listeners = dict(entry.split("://") for entry in environment["KAFKA_LISTENERS"].split(","))
    protocols = environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    assert set(listeners) == {entry.split(":")[0] for entry in protocols}
    host, published, target = kafka["ports"][0].rsplit(":", 2)
    assert host == "127.0.0.1"  # plain text stays on this machine
    assert listeners["OUTSIDE"] == f":{target}"
    outside = environment["KAFKA_ADVERTISED_LISTENERS"].split(",")[1]
    assert outside == f"OUTSIDE://localhost:{published}"
    quorum = environment["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert quorum.endswith(listeners["CONTROLLER"])
    volume = kafka["volumes"][0].partition(":")[2]
    assert environment["KAFKA_LOG_DIRS"] == volume


def test_the_worker_is_asked_for_its_health_where_it_answers(
    services: dict[str, dict[str, Any]],
) -> None:
    worker = services["worker"]
    port = worker["environment"]["HEADRACE_METRICS_PORT"]
    assert f"127.0.0.1:{port}/healthz" in worker["healthcheck"]["test"][-1]
    assert worker["expose"] == [port]
    compile(worker["healthcheck"]["test"][-1], "healthcheck", "exec")
