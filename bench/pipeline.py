"""What an event and a list cost: the steps alone, then a real worker with and without ranking.

    python -m bench.pipeline [--items N] [--events N] [--rounds N] [--json]

A made-up shop is learnt in memory through the worker's own steps, on one core; then events are
learnt and lists are made in turn, round after round. The same model and shop then go through a real
Kafka and one worker, beside the same worker without ranking. Prints one JSON object with --json,
else tables.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.machine import machine, spread
from bench.shop import MadeUpShop
from bench.site import kafka
from bench.tables import table
from features.attributes import token_ids, tokens
from features.events import Event
from features.item import ItemRow, catalogued, new_item
from features.levels import CategoryLevels
from features.profile import Profile
from features.signals import Signals
from ranker.history import History
from ranker.items import ItemIndex
from ranker.model import Model
from streams import admin, bulk, garbage, steps
from streams.agents.users import LISTS
from streams.batches import batched
from streams.broadcast import show_items
from streams.broker.ports import free_ports
from streams.codec import encode_recommendation
from streams.demo.workers import WorkerProcess
from streams.models import new_model, write_model
from streams.outcomes import Outcomes
from streams.recommend import Asked, ranked_for, recommendations
from streams.settings import Settings

LEARN_US, LIST_US = 30.0, 500.0
"""What learning an event, and making a list, may cost on one core."""
HISTORY = 50
BATCH = 512
"""Events of a micro-batch in the steps alone."""
SAMPLE = 8_192
"""Events learnt, and a quarter of it lists made, in a round."""
FIT_STEPS = 50
"""Of the attention model: its size costs, not its quality."""
WORKERS = {"ranking": "streams", "without": "bench.unranked"}
_NEIGHBOURS, _FACTORS = 100, 16


class Costs(NamedTuple):
    """Processor time of a round, µs an event, or a list."""

    users_us: float  # rows and factors of users, signals
    items_us: float  # rows and factors of items
    index_us: float  # what rankings read of them
    outcome_us: float  # of an outcome, from the list that it is kept with to what it teaches
    list_us: float  # asked, ranked, explained, put into words, written as JSON


def main() -> None:
    """Run and print."""
    given = _arguments()
    shop = MadeUpShop(given.items, given.users)
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as scratch:
        model_path = Path(scratch) / "model.safetensors"
        costs = measure(shop, given.events, given.rounds, model_path)
        with kafka(given.broker) as address:
            worker = workers(shop, given.sent, given.rounds, address, model_path)
    figures = {
        "what": "pipeline",
        "items": given.items,
        "events": given.events,
        "history": HISTORY,
        "lists_at_once": LISTS,
        "rounds": given.rounds,
        "wanted": {"learn_us": LEARN_US, "list_us": LIST_US},
        "steps": costs,
        "worker": worker,
        "ratios": {"events_per_s_without_to_with": _ratio(worker)},
        "machine": machine(),
    }
    if given.json:
        print(json.dumps(figures))
        return
    print(table(costs), table(worker), sep="\n\n")


def measure(shop: MadeUpShop, events: int, rounds: int, model_path: Path) -> dict[str, object]:
    """Return what steps cost in a process of its own mind: one thread, rows in memory."""
    world = World(shop)
    garbage.calm()  # as a worker does when it begins
    world.learn(shop.events(events))
    _say(f"learnt {events:,} events of {shop.items:,} items")
    world.fit()
    write_model(model_path, world.model)
    _say("fitted a model")
    taken = []
    for number in range(rounds + 1):
        taken.append(world.round(shop, events + number * SAMPLE))
        _say(f"steps, round {number}: {taken[-1]._asdict()}")
    kept = taken[1:]  # the first compiles
    figures = {name: [getattr(one, name) for one in kept] for name in Costs._fields}
    figures["learn_us"] = [one.users_us + one.items_us + one.index_us for one in kept]
    return {"ours": {name: spread(values) for name, values in figures.items()}}


class World:
    """Rows, index and model of a shop in memory, changed by the worker's own steps alone."""

    def __init__(self, shop: MadeUpShop) -> None:
        self.index, self.levels = ItemIndex(_NEIGHBOURS, _FACTORS), CategoryLevels()
        self.users: dict[str, Profile] = {}
        self.items: dict[str, ItemRow] = {
            item.item_id: catalogued(new_item(), item, offset)
            for offset, item in enumerate(shop.catalogue())
        }
        self.model: Model = new_model()
        self.outcomes = Outcomes(LISTS)
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._read = 0
        show_items(self.index, self.levels, list(self.items.items()))

    def learn(self, events: Iterator[Event]) -> None:
        """Learn events, micro-batch by micro-batch."""
        for batch in batched(events, BATCH):
            with _Timer(self.spent, "users"):
                offsets = range(self._read, self._read + len(batch))
                outcome = steps.learn_users(self.users, batch, 0, offsets, self.index)
                self.users |= outcome.rows
            with _Timer(self.spent, "items"):
                told = [(name, Signals(0, tuple(one))) for name, one in outcome.signals.items()]
                changed = steps.learn_items(
                    self.items, told, neighbours=_NEIGHBOURS, factors=_FACTORS, seed=(0, self._read)
                )
                self.items |= changed
            with _Timer(self.spent, "index"):
                show_items(self.index, self.levels, list(changed.items()))
            self._read += len(batch)

    def fit(self) -> None:
        """Give every item a vector."""
        histories = [
            History.of(row.recent.item_ids, row.recent.at(), [*row.recent.kinds])
            for row in self.users.values()
            if row.recent
        ]
        contents = {
            name: token_ids(tokens(row.item)) for name, row in self.items.items() if row.item
        }
        self.model.fit(histories, contents, epochs=1, seed=0, max_steps=FIT_STEPS)
        self.model.install(self.index)

    def round(self, shop: MadeUpShop, first: int) -> Costs:
        """Learn the next events, then make lists for users with full histories."""
        self.spent.clear()
        self.learn(shop.events(SAMPLE, first))
        events = [
            event
            for event in shop.events(SAMPLE, first)
            if len(self.users[event.user_id].recent) >= HISTORY
        ][: SAMPLE // 4]
        if not events:
            raise SystemExit(f"no user has {HISTORY} touches: fewer --users, or more --events")
        outcomes = 0
        for batch in batched(iter(events), LISTS):
            outcomes += self._lists(batch)
        per_event = {name: self.spent[name] / SAMPLE * 1e6 for name in ("users", "items", "index")}
        return Costs(
            **{f"{name}_us": cost for name, cost in per_event.items()},
            outcome_us=self.spent["outcomes"] / max(1, outcomes) * 1e6,
            list_us=self.spent["lists"] / len(events) * 1e6,
        )

    def _lists(self, events: Sequence[Event]) -> int:
        """Make lists, and teach that their users took the first candidates; return how many."""
        with _Timer(self.spent, "lists"):
            asked = [
                Asked(event, steps.request(self.users[event.user_id], event, self.index, 20, 0))
                for event in events
            ]
            ranked = ranked_for(asked, self.index, self.model)
            for answer in recommendations(asked, ranked, self.index, 0):
                encode_recommendation(answer, "json")
        with _Timer(self.spent, "outcomes"):
            for position, slot in enumerate(ranked.slots[:, 0].tolist()):
                self.outcomes.took("for_you", ranked, position, slot)
            return self.outcomes.learn(self.model.scorer, self.index).outcomes


def workers(
    shop: MadeUpShop, events: int, rounds: int, address: str, model: Path
) -> dict[str, object]:
    """Return what a worker does with and without ranking, in turn."""
    scratch = model.parent
    found: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for number in range(rounds):
        for name, module in WORKERS.items():
            settings = Settings(
                broker=address,
                topic_prefix=f"{name}-{number}-{time.time_ns()}.",
                app_id=f"{name}-{number}",
                partitions=4,
                data_dir=scratch / f"{name}-{number}",
                metrics_port=free_ports(1)[0],
                model=model,
                repeat_ms=0,  # every event is to be learnt, whatever chance made of it
            )
            log = scratch / f"{name}-{number}.log"
            found[name].append(_worker(shop, events, settings, log, module))
            _say(f"worker, round {number}, {name}: {found[name][-1]}")
    return {
        name: {figure: spread([one[figure] for one in many]) for figure in many[0]}
        for name, many in found.items()
    }


def _worker(
    shop: MadeUpShop, events: int, settings: Settings, log: Path, module: str
) -> dict[str, float]:
    admin.create(settings)
    bulk.publish(settings, shop.catalogue())
    with WorkerProcess(settings, log, module) as worker:
        worker.wait_until("headrace_catalog_entries_total", shop.items, 600)
        process = psutil.Process(worker.pid)
        bulk.publish(settings, islice(shop.events(events), events // 10))
        worker.wait_until("headrace_events_total", events // 10, 600)  # it is warm
        before = worker.counters().get("headrace_recommendations_total", 0.0)
        cpu_s, started = sum(process.cpu_times()[:2]), time.perf_counter()
        bulk.publish(settings, shop.events(events, events // 10))
        worker.wait_until("headrace_events_total", events + events // 10, 3600)
        seconds = time.perf_counter() - started
        cpu_s = sum(process.cpu_times()[:2]) - cpu_s
        lists = worker.counters().get("headrace_recommendations_total", 0.0) - before
        return {
            "events_per_s": events / seconds,
            "lists_per_s": lists / seconds,
            "cpu_us_per_event": cpu_s / events * 1e6,
            "rss_mb": process.memory_info().rss / 2**20,
        }


class _Timer:
    """Adds the processor time of a block to what was spent under a name, s."""

    def __init__(self, spent: defaultdict[str, float], name: str) -> None:
        self._spent, self._name = spent, name

    def __enter__(self) -> None:
        self._began = time.process_time()

    def __exit__(self, *_: object) -> None:
        self._spent[self._name] += time.process_time() - self._began


def _ratio(worker: Mapping[str, object]) -> float:
    medians = {}
    for name, found in worker.items():
        assert isinstance(found, dict)
        medians[name] = found["events_per_s"]["median"]
    return round(float(medians["without"]) / float(medians["ranking"]), 2)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=4_000)
    parser.add_argument("--events", type=int, default=300_000, help="learnt before measuring")
    parser.add_argument("--sent", type=int, default=60_000, help="through Kafka and a worker")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", help="HOST:PORT of a Kafka that runs")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
