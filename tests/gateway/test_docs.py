"""docs/gateway.md is true: its examples run, and its tables are the code's."""

import json
import re
import shlex
from typing import Any

import msgspec
import pytest

from streams.cli import app
from streams.gateway.events import Accepted
from streams.gateway.lists import Shown
from streams.gateway.problems import KINDS, ProblemDetails
from tests.gateway.running import RunningGateway
from tests.repo.commands import parses
from tests.support import ROOT

PAGE = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
LINES = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
CALLS = [line for line in LINES if line.startswith("curl ")]
ADDRESS = "http://127.0.0.1:8080"


@pytest.mark.parametrize("line", CALLS)
def test_every_call_succeeds(gateway: RunningGateway, line: str) -> None:
    words = shlex.split(line)[1:]
    given = {name: words[words.index(name) + 1] for name in ("-X", "-d") if name in words}
    (url,) = [word for word in words if word.startswith(ADDRESS)]
    method = given.get("-X") or ("POST" if "-d" in given else "GET")
    answer = gateway.client.request(method, url.removeprefix(ADDRESS), data=given.get("-d"))
    assert answer.ok, answer.text


def test_the_examples_of_answers_have_their_shape(gateway: RunningGateway) -> None:
    accepted, partly, shown, problem = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    for text, kind in [(accepted, Accepted), (partly, Accepted), (shown, Shown)]:
        msgspec.json.decode(text, type=kind)
    (sent,) = [line for line in CALLS if "c-2" in line]
    answer = gateway.post(json.loads(shlex.split(sent)[-1]))
    assert answer.json() == json.loads(partly)
    answer = gateway.client.get("/v1/users/ann/recommendations?k=0")
    assert answer.json() == json.loads(problem)
    msgspec.json.decode(problem, type=ProblemDetails)


def test_every_command_exists() -> None:
    ours = [shlex.split(line)[1:] for line in LINES if line.startswith("headrace ")]
    assert len(ours) == 3
    for arguments in ours:
        parses(app, arguments)


def test_scopes_and_problems_are_those_of_the_code(gateway: RunningGateway) -> None:
    document: Any = gateway.client.get("/openapi.json").json()
    rows = [line for line in PAGE.splitlines() if line.startswith("|")]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            named = [row for row in rows if f"{path}`" in row]
            if path.startswith("/v1/"):
                named = [row for row in named if re.search(rf"`{method.upper()}\b", row)]
            (row,) = named
            needed = re.findall(r"scope `(\w+)`", operation["description"])
            assert row.endswith(f"| {needed[0] if needed else 'none'} |"), path
    told = re.findall(r"^\| (\d{3}) \| `urn:headrace:problem:([\w-]+)` ", PAGE, re.MULTILINE)
    assert told == [(str(status), name) for status, (name, _) in KINDS.items()]


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\((?!https:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
    headings = {
        re.sub(r"[^\w -]", "", line.strip("# ")).lower().replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("#")
    }
    for anchor in re.findall(r"\]\(#([^)]+)\)", PAGE):
        assert anchor in headings, anchor
