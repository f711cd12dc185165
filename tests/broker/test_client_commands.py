"""The commands around the clients, run as a person runs them, on a real Kafka."""

import re
import subprocess
import sys
from typing import Any

import msgpack
import msgspec
import pytest

from features import item as item_rows
from features import profile as user_rows
from features.events import Click, Item
from streams.settings import Settings
from tests.broker.records import NOW, publish_lists, put, recommendation, records
from tests.conftest import Names
from tests.repo.events_page import PAGE


def headrace(settings: Settings, *arguments: str, stdin: str = "") -> Any:
    environment = {
        "HEADRACE_BROKER": settings.broker,
        "HEADRACE_TOPIC_PREFIX": settings.topic_prefix,
        "HEADRACE_PARTITIONS": str(settings.partitions),
        "PYTHONPATH": ":".join(sys.path),
        "COLUMNS": "120",
    }
    return subprocess.run(
        [sys.executable, "-c", "from streams.cli import main; main()", *arguments],
        input=stdin,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_commands_publish_follow_and_state(names: Names) -> None:
    settings = names.create_topics()
    lines = [
        '{"type":"click","event_id":"e1","user_id":"ann","item_id":"mug","ts":1}',
        "",
        '{"type":"click","event_id":"e2"}',
        '{"type":"item","item_id":"mug","title":"Mug"}',
        '{"event_id":"e3","user_id":"ann","item_id":"mug","ts":2}',
    ]
    done = headrace(settings, "publish", "-", stdin="\n".join(lines))
    assert done.returncode == 1, done.stderr
    assert "line 3: missing_field" in done.stderr
    assert "line 5: wrong_type" in done.stderr
    assert "2 sent" in done.stderr
    done = headrace(settings, "publish", "--as", "click", "-", stdin=lines[4])
    assert done.returncode == 0, done.stderr
    assert len(records(settings, settings.topics.click)) == 2

    publish_lists(settings, [recommendation("ann"), recommendation("bob")])
    done = headrace(
        settings, "follow", "--user", "ann", "-n", "1", "--from-beginning", "--timeout", "20"
    )
    assert done.returncode == 0, done.stderr
    assert "ann for_you mug=0.500" in done.stdout
    done = headrace(settings, "follow", "--json", "--from-beginning", "--timeout", "2")
    assert {msgspec.json.decode(line)["user_id"] for line in done.stdout.splitlines()} == {
        "ann",
        "bob",
    }

    click = Click(event_id="e1", user_id="ann", item_id="mug", ts=NOW)
    row = user_rows.learn(user_rows.new_profile(), click, 0, 0)
    put(settings, settings.topics.user_state, [("ann", user_rows.encode_profile(row))])
    mug = item_rows.catalogued(item_rows.new_item(), Item(item_id="mug", title="Mug"), 0)
    put(settings, settings.topics.item_state, [("mug", item_rows.encode_item(mug))])
    done = headrace(settings, "state", "show", "ann", "--json")
    assert msgspec.json.decode(done.stdout)["recent"][0]["item_id"] == "mug"
    done = headrace(settings, "state", "show", "--item", "mug")
    assert "title: Mug" in done.stdout
    done = headrace(settings, "state", "show", "zoe")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing is known of user 'zoe'" in done.stderr
    assert headrace(settings, "state", "show").returncode == 2


def test_the_simulate_command_publishes_or_prints(names: Names) -> None:
    settings = names.create_topics()
    options = (
        "simulate",
        "--shop",
        "eshop_clothing",
        "--events",
        "50",
        "--start",
        str(NOW - 10**8),
    )
    done = headrace(settings, *options)
    assert done.returncode == 0, done.stderr
    arrived = [record for topic in settings.topics.events for record in records(settings, topic)]
    assert len(arrived) == 50
    assert len(records(settings, settings.topics.catalog)) == 217
    printed = headrace(settings, *options, "--print").stdout.splitlines()
    ids = {msgspec.json.decode(line)["event_id"] for line in printed}
    assert ids == {msgpack.unpackb(record.value)["event_id"] for record in arrived}


def test_the_programs_of_the_events_page_run(
    names: Names, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = names.create_topics()
    monkeypatch.setenv("HEADRACE_TOPIC_PREFIX", names.topic_prefix)
    text = PAGE.read_text(encoding="utf-8").replace("localhost:9092", names.broker)
    produce, consume = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(produce, {})
    assert [len(records(settings, topic)) for topic in settings.topics.events] == [1, 1, 1]
    publish_lists(settings, [recommendation("ann"), recommendation("bob")])
    whole = consume.replace("timeout_s=10", "timeout_s=2, from_beginning=True")
    exec(whole, {})
    assert capsys.readouterr().out == "ann ['mug']\n"
