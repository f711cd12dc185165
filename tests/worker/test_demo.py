"""The demo: it goes well to the end, and leaves nothing behind whenever it is stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from streams.broker.ports import free_ports
from streams.clock import now_ms
from streams.demo.play import GENTLE_PER_S, simulated
from streams.demo.story import tell
from streams.settings import PREFIX
from tests.gateway.running import Client
from tests.support import eventually

ROOT = Path(__file__).parents[2]
EVENTS = "1500"
DEMO_WITHIN_S = 240


def test_the_demo_shows_lists_opens_a_shop_and_cleans_up(tmp_path: Path) -> None:
    port, begun = free_ports(1)[0], now_ms()
    _, first = next(simulated(tell(int(EVENTS)), begun, GENTLE_PER_S))
    shopper = first.user_id
    with (
        demo(tmp_path, "--serve", "--port", str(port)) as running,
        Client(f"http://127.0.0.1:{port}") as client,
    ):
        told = read_until(running, f"the shop is open at http://127.0.0.1:{port}/shop")
        assert "/headrace.js" in client.get("/shop").text
        (item,) = client.get("/v1/users/shop-window/recommendations?k=1").json()["items"]
        assert client.get(f"/v1/items/{item['item_id']}").json()["title"]
        # Its shoppers go on: the first of them gets a list for what is done from now on.
        list_of = f"/v1/users/{shopper}/recommendations?k=1"
        eventually(lambda: client.get(list_of).json().get("event_ts", 0) > begun, 60)
        # The dashboard finds the worker by the group's host and the metrics port.
        eventually(lambda: well(client.get("/dashboard/data").json()["workers"]), 60)
        running.send_signal(signal.SIGINT)
        rest, _ = running.communicate(timeout=60)
        told += rest
    assert running.returncode == 0, told
    assert "1,500 events learnt in" in told
    assert "event to recommendation" in told
    assert "returning customers" in told
    assert told.count("just bought") == 4
    assert "simulated shoppers searched" in told
    assert "\x1b" not in told  # plain lines where there is no terminal
    assert strays(tmp_path) == []
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".log", ".safetensors"]


def test_a_demo_that_is_stopped_leaves_nothing_running(tmp_path: Path) -> None:
    # Nor does a terminal that lacks a mark keep it from getting there.
    with demo(tmp_path, PYTHONIOENCODING="ascii") as running:
        eventually(
            lambda: running.poll() or any("worker" in name for name in strays(tmp_path)),
            DEMO_WITHIN_S,
        )
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert running.returncode == 130
    assert strays(tmp_path) == []
    assert not list(tmp_path.glob("run-*"))


def well(workers: list[dict[str, Any]]) -> bool:
    return [(one["name"] is None, one["trouble"]) for one in workers] == [(False, None)]


@contextmanager
def demo(home: Path, *more: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}
    arguments = ["demo", "--events", EVENTS, "--home", str(home), *more]
    with subprocess.Popen(
        [sys.executable, "-m", "streams", *arguments],
        env=environment | variables,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


def read_until(running: subprocess.Popen[str], words: str) -> str:
    """Return what is said up to the line that has the words; where that never comes, it ends."""
    told = ""
    assert running.stdout is not None
    for line in running.stdout:
        told += line
        if words in line:
            return told
    raise AssertionError(told)


def strays(home: Path) -> list[str]:
    """Return the commands of processes that were started for a demo, but for the demo itself."""
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            started = str(home) in " ".join(
                [*command, process.environ().get(f"{PREFIX}DATA_DIR", "")]
            )
        except psutil.Error:
            continue
        if started and "demo" not in command:
            found.append(" ".join(command))
    return found
