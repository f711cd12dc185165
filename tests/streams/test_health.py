"""What a worker answers when it is asked how it is."""

import urllib.error
import urllib.request
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry, Counter

from streams.broker.ports import free_ports
from streams.health import Health, serving


class Worker:
    """A watchdog and an index as a test wants them, and their health, served."""

    def __init__(self) -> None:
        self.watch: Any = SimpleNamespace(
            ready=True,
            stalled={},
            silent_s=0.0,
            progress=SimpleNamespace(recovering=False, remaining=0),
        )
        self.indexed = True
        self.registry = CollectorRegistry()
        self.health = Health(self.watch, 60, lambda: self.indexed)  # type: ignore[arg-type]
        self.port = free_ports(1)[0]

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def test_each_trouble_turns_its_check_red_and_is_named() -> None:
    worker = Worker()
    with serving("127.0.0.1", worker.port, worker.registry, worker.health):
        assert worker.get("/healthz") == worker.get("/readyz") == (200, "ok\n")

        worker.watch.stalled = {TP("events.click", 3): 75.2}
        worker.watch.silent_s = 61.0
        status, text = worker.get("/healthz")
        assert status == 503
        assert "nothing ran for 61 s" in text
        assert "events.click[3] has records but no progress for 75 s" in text
        assert worker.get("/readyz")[0] == 200

        worker.watch.stalled, worker.watch.silent_s = {}, 0.0
        worker.watch.ready = worker.indexed = False
        worker.watch.progress = SimpleNamespace(recovering=True, remaining=7)
        status, text = worker.get("/readyz")
        assert status == 503
        assert "7 offsets to go" in text
        assert "items not read yet" in text
        assert worker.get("/healthz")[0] == 200


def test_metrics_are_served_beside_and_nothing_else_is() -> None:
    worker = Worker()
    Counter("tea_cups", "Cups.", registry=worker.registry).inc(3)
    with serving("127.0.0.1", worker.port, worker.registry, worker.health):
        assert "tea_cups_total 3.0" in worker.get("/metrics")[1]
        assert worker.get("/")[0] == 404
        assert worker.get("/healthz", "POST")[0] == 405


def test_an_address_that_is_taken_is_named_with_the_settings_to_change() -> None:
    one, two = Worker(), Worker()
    with (
        serving("127.0.0.1", one.port, one.registry, one.health),
        pytest.raises(OSError, match=rf":{one.port} .*HEADRACE_METRICS_PORT"),
        serving("127.0.0.1", one.port, two.registry, two.health),
    ):
        pass
    with serving("127.0.0.1", one.port, two.registry, two.health):  # free again at once
        assert one.get("/healthz")[0] == 200


def test_port_0_serves_nothing() -> None:
    worker = Worker()
    with serving("127.0.0.1", 0, worker.registry, worker.health):
        pass
