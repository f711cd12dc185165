"""The demo: it ends well, or is stopped, and leaves nothing behind either way."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from streams.settings import PREFIX
from tests.support import eventually

ROOT = Path(__file__).parents[2]
EVENTS = "1500"
DEMO_WITHIN_S = 240


def test_the_demo_shows_lists_beside_what_was_bought_and_cleans_up(tmp_path: Path) -> None:
    with demo(tmp_path) as running:
        told, _ = running.communicate(timeout=DEMO_WITHIN_S)
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


@contextmanager
def demo(home: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}
    arguments = ["demo", "--events", EVENTS, "--home", str(home)]
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
