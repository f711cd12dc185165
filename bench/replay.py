"""A real shop's whole log through a real Kafka and one worker: speed, CPU and memory.

    python -m bench.replay [--events N] [--model FILE] [--json]

Publishes Online Retail as fast as Kafka takes it, waits until the worker has learnt all of it and
its item signals, and reports what that took. The worker ranks as it goes: one list per user and
batch. Prints one JSON object with --json, else a line per figure.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from itertools import islice
from pathlib import Path

import psutil

from streams import admin, bulk
from streams.broker import Kafka
from streams.broker.ports import free_ports
from streams.data import ONLINE_RETAIL
from streams.demo.workers import WorkerProcess
from streams.settings import Settings

QUIET_S = 3.0
"""So long without a signal applied means that the items have caught up with the users."""
EVENTS = "headrace_events_total"
SIGNALS = "headrace_item_signals_total"


def main() -> None:
    """Run once and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=ONLINE_RETAIL.events_total)
    parser.add_argument("--model", type=Path, help="ranker, as written by `headrace train`")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as scratch:
        figures = replay(arguments.events, Path(scratch), arguments.model)
    if arguments.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:28} {value}")


def replay(events: int, scratch: Path, model: Path | None = None) -> dict[str, object]:
    """Replay the first events of Online Retail; return the figures."""
    with Kafka(scratch / "kafka") as address:
        settings = Settings(
            broker=address,
            partitions=4,
            data_dir=scratch / "state",
            metrics_port=free_ports(1)[0],
            model=None if model is None else model.resolve(),
            repeat_ms=0,  # all lines of an order bear one time, and all are to be learnt
        )
        admin.create(settings)
        bulk.publish(settings, ONLINE_RETAIL.items())
        with WorkerProcess(settings, scratch / "worker.log") as worker:
            worker.wait_until("headrace_catalog_entries_total", ONLINE_RETAIL.items_total, 120)
            process = psutil.Process(worker.pid)
            cpu_before_s, started = sum(process.cpu_times()[:2]), time.perf_counter()
            bulk.publish(settings, islice(ONLINE_RETAIL.events(), events))
            published_s = time.perf_counter() - started
            worker.wait_until(EVENTS, events, 3600)
            learnt_s = time.perf_counter() - started
            settled_s = _settled(worker) - started
            cpu_s = sum(process.cpu_times()[:2]) - cpu_before_s
            counters = worker.counters()
            return {
                "events": events,
                "model": model is not None,
                "published_s": round(published_s, 1),
                "learnt_s": round(learnt_s, 1),
                "settled_s": round(settled_s, 1),
                "events_per_s": round(events / learnt_s),
                "worker_cpu_us_per_event": round(cpu_s / events * 1e6, 1),
                "lists": int(counters["headrace_recommendations_total"]),
                "item_signals": int(counters[SIGNALS]),
                "rss_mb": round(process.memory_info().rss / 2**20),
                "state_mb": round(_size(scratch / "state") / 2**20),
                "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
                "load_average": round(os.getloadavg()[0], 1),
            }


def _settled(worker: WorkerProcess) -> float:
    """Wait until no more signals are applied; return when the last one was."""
    seen, since = -1.0, time.perf_counter()
    while time.perf_counter() - since < QUIET_S:
        applied = worker.counters().get(SIGNALS, 0.0)
        if applied != seen:
            seen, since = applied, time.perf_counter()
        time.sleep(0.2)
    return since


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
