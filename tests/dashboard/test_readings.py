"""What a worker's metrics say, read from what the worker's own meter writes."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from streams.broker.ports import free_ports
from streams.dashboard.readings import AGE, AGES, BadReading, Reading, added, by_label, read
from streams.dashboard.workers import Workers, members_of
from streams.health import Health, serving
from streams.metrics import LATENCY_BUCKETS_S, Meter

COUNTS = st.dictionaries(st.sampled_from(["click", "search", 'a"b\\c\n']), st.integers(1, 99))


def worker(name: str = "w1") -> Meter:
    meter = Meter()
    meter.worker.labels(name).set(1)
    return meter


def text_of(meter: Meter) -> str:
    return generate_latest(meter.registry).decode()


@contextmanager
def served(*meters: Meter) -> Iterator[list[str]]:
    """Serve meters as workers do; yields their addresses."""
    nothing: Any = None
    well = Health(nothing, 1.0, lambda: True)  # nobody asks how they are
    ports = free_ports(len(meters))
    with ExitStack() as stack:
        for meter, port in zip(meters, ports, strict=True):
            stack.enter_context(serving("127.0.0.1", port, meter.registry, well))
        yield [f"127.0.0.1:{port}" for port in ports]


@given(events=COUNTS, ages=st.lists(st.floats(0, 100), max_size=20), rows=st.integers(0, 10**9))
def test_what_was_counted_is_read(events: dict[str, int], ages: list[float], rows: int) -> None:
    meter = worker()
    for kind, count in events.items():
        meter.events.labels(kind).inc(count)
    for age in ages:
        meter.age.observe(age)
    meter.model.labels("attention-1").set(1)
    meter.remaining.set(rows)
    reading = read(text_of(meter))
    assert by_label(reading.counters, "events") == events
    told = [reading.counters[AGE, bucket] for bucket in AGES]
    edges = (-1.0, *LATENCY_BUCKETS_S, float("inf"))
    assert told == [sum(low < age <= high for age in ages) for low, high in pairwise(edges)]
    assert (reading.worker_id, reading.model) == ("w1", "attention-1")
    assert reading.remaining == rows


@given(several=st.lists(COUNTS, max_size=4))
def test_counters_of_several_workers_add_up(several: list[dict[str, int]]) -> None:
    total = added({("events", kind): float(n) for kind, n in one.items()} for one in several)
    for kind in {kind for one in several for kind in one}:
        assert total["events", kind] == sum(one.get(kind, 0) for one in several)


@pytest.mark.parametrize("text", ["", "<html>", "a b c d", "up 1\n", "headrace_worker{", "x" * 99])
def test_what_is_no_worker_is_said(text: str) -> None:
    with pytest.raises(BadReading):
        read(text)


def test_workers_are_asked_and_those_that_do_not_answer_say_why() -> None:
    with served(worker("w1"), worker("")) as (first, second):
        silent = f"127.0.0.1:{free_ports(1)[0]}"
        asked = Workers([first, second, silent, "no-such-host.invalid:1"], 0)
        found = asked.look([])
        asked.close()
    assert isinstance(found[first], Reading)
    assert isinstance(found[second], Reading)
    assert found[silent] == "does not answer: Connection refused"
    assert "does not answer" in str(found["no-such-host.invalid:1"])


def test_a_worker_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.dashboard.workers.ANSWER_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as hanging, served(worker()) as (well,):
        host, port = hanging.getsockname()
        asked = Workers([f"{host}:{port}", well], 0)
        found = asked.look([])
        asked.close()
    assert found[f"{host}:{port}"] == "does not answer: timed out"
    assert isinstance(found[well], Reading)


def test_members_are_found_by_name_or_by_the_only_worker_of_a_host() -> None:
    port = free_ports(1)[0]
    asked = Workers([], port)
    assert asked.known
    assert list(asked.look(["127.0.0.1", "127.0.0.1"])) == [f"127.0.0.1:{port}"]
    asked.close()
    names = {"10.0.0.1:9": "", "10.0.0.2:9": "", "10.0.0.9:1": "w1"}
    hosts = {"w1": "10.0.0.2", "m-1": "10.0.0.1", "m-2": "10.0.0.3", "m-3": "10.0.0.3"}
    assert members_of(names, hosts, 9) == {"w1": "10.0.0.9:1", "m-1": "10.0.0.1:9"}
    assert not Workers([], 0).known
