"""`headrace gateway` as a process: what it says when it cannot start, and how it leaves."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from streams.broker.ports import free_ports
from streams.demo.workers import as_environment
from streams.gateway.serve import listen
from streams.settings import Settings
from tests.conftest import Names
from tests.gateway.running import Client
from tests.support import ROOT, eventually

READY_WITHIN_S = 60


@contextmanager
def process(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as told:
        running = subprocess.Popen(
            [sys.executable, "-m", "streams", "gateway"],
            env=os.environ | as_environment(settings),
            cwd=ROOT,
            stdout=told,
            stderr=told,
        )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def ready(settings: Settings) -> bool:
    with Client(f"http://127.0.0.1:{settings.gateway_port}") as client:
        try:
            return client.get("/readyz").status_code == 200
        except requests.ConnectionError:
            return False


def test_a_signal_ends_it_cleanly_and_its_directory_is_its_own(
    names: Names, tmp_path: Path
) -> None:
    one, two = free_ports(2)
    settings = names.create_topics(gateway_dir=tmp_path / "gateway", gateway_port=one)
    with process(settings, tmp_path / "one.log") as first:
        eventually(lambda: ready(settings), READY_WITHIN_S)
        other = settings.model_copy(update={"gateway_port": two})
        with process(other, tmp_path / "two.log") as second:
            assert second.wait(READY_WITHIN_S) == 1
        assert "the gateway ended: " in (tmp_path / "two.log").read_text()
        assert "in use by another process" in (tmp_path / "two.log").read_text()
        first.terminate()
        assert first.wait(20) == 0
    assert "Traceback" not in (tmp_path / "one.log").read_text()


def test_an_address_that_is_taken_is_named_with_the_settings_to_change() -> None:
    settings = Settings(gateway_port=free_ports(1)[0])
    with listen(settings), pytest.raises(OSError, match="HEADRACE_GATEWAY_PORT to a free address"):
        listen(settings)
    listen(settings).close()  # free again at once
