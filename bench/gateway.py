"""The gateway under load, from a second process: lists, rankings, events.

    python -m bench.gateway [--seconds N] [--events N] [--broker HOST:PORT] [--json]

Online Retail's catalogue and its first events go through a real Kafka and one worker, so that users
have lists. Then `headrace gateway`, a process of its own, is asked: for lists at a steady rate and
flat out, for rankings of 100 candidates, and sent events in lists of 100, with the worker beside it
and without. Latencies count from when a request was due. Prints one JSON object with --json, else
tables.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import psutil
import uvloop

from bench.machine import machine
from bench.site import kafka
from bench.tables import table
from bench.web import Answers, Web
from features.events import Item
from streams import admin, bulk
from streams.broker.ports import free_ports
from streams.data import ONLINE_RETAIL
from streams.demo.workers import WorkerProcess, as_environment
from streams.settings import Settings

GETS, RANKS, POSTS = 2_000, 100, 100
"""Requests a second that are wanted."""
GET_P90_MS, RANK_P50_MS, RANK_P99_MS = 7.0, 15.0, 50.0
EVENTS = 100
"""Of a request that sends some."""
CANDIDATES = 100
STRANGERS = 0.1
"""Of those who ask for a list."""
CONNECTIONS = 32
READY_S = 120.0
_WARM_S = 2.0

Figures = dict[str, object]


class Requests:
    """What is asked and sent, endless and the same for the same seed."""

    def __init__(self, web: Web, items: Sequence[Item], users: Sequence[str]) -> None:
        self._web = web
        self._ids = [item.item_id for item in items]
        self._words = [(item.title or "thing").split()[0] for item in items]
        self._users = users
        self._random = random.Random(1)

    def lists(self) -> Iterator[bytes]:
        """Yield requests for lists."""
        while True:
            stranger = self._random.random() < STRANGERS
            user = "stranger" if stranger else self._random.choice(self._users)
            yield self._web.request("GET", f"/v1/users/{quote(user)}/recommendations?k=20")

    def rankings(self) -> Iterator[bytes]:
        """Yield requests to rank."""
        while True:
            asked = {
                "user_id": self._random.choice(self._users),
                "query": self._random.choice(self._words),
                "candidates": self._random.sample(self._ids, CANDIDATES),
            }
            yield self._web.request("POST", "/v1/rank", json.dumps(asked).encode())

    def events(self) -> Iterator[bytes]:
        """Yield requests that send events, half of them without a time."""
        number = 0
        while True:
            sent = []
            for _ in range(EVENTS):
                number += 1
                sent.append(
                    {
                        "type": "click",
                        "event_id": f"{number}-{os.getpid()}",
                        "user_id": self._random.choice(self._users),
                        "item_id": self._random.choice(self._ids),
                    }
                )
            yield self._web.request("POST", "/v1/events", json.dumps(sent).encode())


def main() -> None:
    """Run and print."""
    given = _arguments()
    gc.disable()  # pauses of this process would count as the gateway's
    with (
        tempfile.TemporaryDirectory(prefix="headrace-bench-") as scratch,
        kafka(given.broker) as address,
    ):
        found = _measured(Path(scratch), address, given.events, given.seconds)
    if given.json:
        print(json.dumps(found))
        return
    print(table(found["gateway"]))
    print(f"reached: {found['reached']}")


def _measured(scratch: Path, address: str, events: int, seconds: float) -> dict[str, object]:
    metrics_port, port = free_ports(2)
    settings = Settings(
        broker=address,
        topic_prefix=f"gateway-{os.getpid()}.",
        partitions=4,
        data_dir=scratch / "state",
        metrics_port=metrics_port,
        gateway_dir=scratch / "gateway",
        gateway_port=port,
        gateway_rate=0,
        repeat_ms=0,
        max_per_minute=0,  # the few users of the bench do more than people
        max_per_day=0,
    )
    admin.create(settings)
    try:
        return _run(settings, scratch, events, seconds)
    finally:
        admin.delete(settings)


def _run(settings: Settings, scratch: Path, events: int, seconds: float) -> dict[str, object]:
    items = list(ONLINE_RETAIL.items())
    known = list(islice(ONLINE_RETAIL.events(), events))
    users = sorted({event.user_id for event in known})
    bulk.publish(settings, items)
    with (
        WorkerProcess(settings, scratch / "worker.log") as worker,
        _gateway(settings, scratch / "gateway.log") as process,
    ):
        worker.wait_until("headrace_catalog_entries_total", len(items), 120)
        bulk.publish(settings, known)
        worker.wait_until("headrace_events_total", len(known), 600)
        found = uvloop.run(_ask(settings, process, items, users, seconds))
    with _gateway(settings, scratch / "gateway.log") as process:
        found |= uvloop.run(_send(settings, process, items, users, seconds))
    get, rank = found["lists"], found["rankings"]
    alone = found["events, no worker"]
    return {
        "bench": "gateway",
        "rounds": 1,
        "seconds": seconds,
        "gateway": {name: _figures(answers, cpu_s) for name, (answers, cpu_s) in found.items()},
        "reached": {
            "lists": get[0].rate >= 0.99 * GETS and get[0].at(0.9) <= GET_P90_MS,
            "rankings": rank[0].at(0.5) <= RANK_P50_MS and rank[0].at(0.99) <= RANK_P99_MS,
            "events": alone[0].rate >= 0.99 * POSTS,
        },
        "ratios": {
            "events_vs_wanted": round(alone[0].rate / POSTS, 2),
            "lists_vs_wanted": round(found["lists, flat out"][0].rate / GETS, 2),
        },
        "machine": machine(),
    }


Found = dict[str, tuple[Answers, float]]


async def _ask(
    settings: Settings,
    process: psutil.Process,
    items: Sequence[Item],
    users: Sequence[str],
    seconds: float,
) -> Found:
    found: Found = {}
    async with Web(settings.gateway_host, settings.gateway_port, CONNECTIONS) as web:
        await _ready(web)
        requests = Requests(web, items, users)
        await web.at_rate(requests.lists(), GETS / 2, min(seconds, _WARM_S))
        await web.at_rate(requests.rankings(), RANKS / 2, min(seconds, _WARM_S))
        with _watched(process, found, "lists") as put:
            put(await web.at_rate(requests.lists(), GETS, seconds))
        with _watched(process, found, "lists, flat out") as put:
            put(await web.flat_out(requests.lists(), seconds))
        with _watched(process, found, "rankings") as put:
            put(await web.at_rate(requests.rankings(), RANKS, seconds))
        with _watched(process, found, "events, worker beside") as put:
            put(await web.at_rate(requests.events(), POSTS, seconds))
    return found


async def _send(
    settings: Settings,
    process: psutil.Process,
    items: Sequence[Item],
    users: Sequence[str],
    seconds: float,
) -> Found:
    found: Found = {}
    async with Web(settings.gateway_host, settings.gateway_port, CONNECTIONS) as web:
        await _ready(web)
        requests = Requests(web, items, users)
        await web.at_rate(requests.events(), POSTS / 2, min(seconds, _WARM_S))
        with _watched(process, found, "events, no worker") as put:
            put(await web.at_rate(requests.events(), POSTS, seconds))
    return found


async def _ready(web: Web) -> None:
    request = web.request("GET", "/readyz")
    deadline = time.perf_counter() + READY_S
    while (await web.ask(request))[0] != 200:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"the gateway was not ready within {READY_S:.0f} s")
        await asyncio.sleep(0.2)


@contextmanager
def _watched(
    process: psutil.Process, found: Found, name: str
) -> Iterator[Callable[[Answers], None]]:
    """Yield a function that takes what a run brought; note the processor time that it took."""
    print(f"{name} ...", file=sys.stderr)
    before_s = sum(process.cpu_times()[:2])
    got: list[Answers] = []
    yield got.append
    if got[0].failed:
        print(f"{got[0].failed} failed, the first: {got[0].complaint}", file=sys.stderr)
    found[name] = got[0], sum(process.cpu_times()[:2]) - before_s


@contextmanager
def _gateway(settings: Settings, log: Path) -> Iterator[psutil.Process]:
    """Run a gateway until the block ends; it listens when the block begins."""
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "gateway"],
            env=os.environ | as_environment(settings),
            stdout=told,
            stderr=told,
        )
    try:
        deadline = time.perf_counter() + READY_S
        while not _listens(settings):
            if process.poll() is not None or time.perf_counter() > deadline:
                raise RuntimeError(f"the gateway does not listen:\n{log.read_text()[-4000:]}")
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(READY_S)


def _listens(settings: Settings) -> bool:
    with closing(socket.socket()) as tried:
        return tried.connect_ex((settings.gateway_host, settings.gateway_port)) == 0


def _figures(answers: Answers, cpu_s: float) -> Figures:
    return {
        "requests_per_s": round(answers.rate),
        "p50_ms": answers.at(0.5),
        "p90_ms": answers.at(0.9),
        "p99_ms": answers.at(0.99),
        "cpu_us_per_request": round(cpu_s / len(answers.took_ms) * 1e6),
        "failed": answers.failed,
        "by_popularity": answers.marked,
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30, help="of each part")
    parser.add_argument("--events", type=int, default=20_000, help="learnt at first")
    parser.add_argument("--broker", help="HOST:PORT of a Kafka that runs; else one is started")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
