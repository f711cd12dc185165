"""The batch engine beside stock Faust, Quix Streams and bare aiokafka: speed, cost and latency.

    python -m bench.engine [--records N] [--users N] [--rounds N] [--broker HOST:PORT] [--json]

Every contestant is run in turn, round after round, each as a process of its own that is watched
from outside: progress by its committed offsets, the rest by psutil.

a) table: read, decode, read-modify-write one row of 1 KiB per event, with changelog;
b) output: the same and one output record per event;
d) latency: at a light, steady load, from an event's production to its output record in a
   consumer's hands.

(c, recovery, is `python -m bench.recovery`.) Prints one JSON object with --json, else tables.
"""

import argparse
import asyncio
import json
import sys
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from bench import latency, throughput
from bench.contestant import NAMES
from bench.machine import machine, spread
from bench.site import PARTITIONS, Site, clicks, kafka
from bench.tables import table
from bench.work import ROW_BYTES

Result = dict[str, dict[str, object]]


def main() -> None:
    """Run all of it and print."""
    given = _arguments()
    with kafka(given.broker) as address:
        figures = asyncio.run(measure(address, given))
    if given.json:
        print(json.dumps(figures))
        return
    for name in ("table", "output", "latency"):
        print(f"{name}\n{table(figures[name])}\n")
    print(json.dumps({name: figures[name] for name in ("ratios", "machine")}, indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=2_000_000, help="of the batch contestants")
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stock-s", type=float, default=20.0, help="steady state of stock Faust")
    parser.add_argument("--rate", type=int, default=1_000, help="events/s while latency is taken")
    parser.add_argument("--latency-s", type=float, default=15.0, help="so long")
    parser.add_argument("--only", choices=["table", "output", "latency"], nargs="+")
    parser.add_argument("--broker", help="host:port; a Kafka of its own without it")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


async def measure(broker: str, given: argparse.Namespace) -> dict[str, object]:
    """Run the rounds; return every figure."""
    wanted = given.only or ["table", "output", "latency"]
    rounds: dict[str, dict[str, list[dict[str, float]]]] = {
        bench: defaultdict(list) for bench in wanted
    }
    async with Site(broker) as site:
        source = f"bench-{uuid.uuid4().hex[:8]}.events"
        await site.create(source)
        await site.publish(source, clicks(given.records, given.users))
        for round_ in range(given.rounds):
            for bench in wanted:
                for name in NAMES:
                    found = await _one(site, bench, name, source, given)
                    rounds[bench][name].append(found)
                    print(f"round {round_ + 1}, {bench}, {name}: {found}", file=sys.stderr)
        await site.delete(source)
    figures: dict[str, object] = {bench: _merged(rounds[bench]) for bench in wanted}
    return {
        "what": "engine",
        "records": given.records,
        "users": given.users,
        "row_bytes": ROW_BYTES,
        "partitions": PARTITIONS,
        "rounds": given.rounds,
        "latency_events_per_s": given.rate,
        "notes": {
            "stock": f"rate extrapolated from {given.stock_s:g} s of steady state at most",
            "quix": "commits every 5 s, its default and its best: it stores a row once per commit",
            "bare": "aiokafka getmany and decoding alone (the ceiling); in output and latency it "
            "also sends each event on (an echo, the floor)",
        },
        **figures,
        "ratios": _ratios(figures),
        "machine": machine(),
    }


async def _one(
    site: Site, bench: str, name: str, source: str, given: argparse.Namespace
) -> dict[str, float]:
    if bench == "latency":
        load = latency.Load(given.rate, given.latency_s / 5, given.latency_s, given.users)
        return asdict(await latency.run(site, name, load))
    steady_s = given.stock_s if name == "stock" else None
    return asdict(
        await throughput.run(
            site, name, source, given.records, output=bench == "output", steady_s=steady_s
        )
    )


def _merged(rounds: Mapping[str, Sequence[Mapping[str, float]]]) -> Result:
    """Return median and range of each figure; what is true or false must be so in every round."""
    merged: Result = {}
    for name, found in rounds.items():
        merged[name] = {
            figure: all(each[figure] for each in found)
            if isinstance(found[0][figure], bool)
            else spread([each[figure] for each in found])
            for figure in found[0]
        }
    return merged


def _ratios(figures: Mapping[str, object]) -> dict[str, float]:
    """Return how many times faster, cheaper (`_cpu`) and sooner (`latency_`) ours is.

    `latency_*_vs_echo` is how many times later than the echo it is.
    """
    ratios: dict[str, float] = {}
    for bench in ("table", "output"):
        for other in ("stock", "quix"):
            if bench in figures:
                fast = _median(figures[bench], "ours", "events_per_s")
                ratios[f"{bench}_vs_{other}"] = fast / _median(
                    figures[bench], other, "events_per_s"
                )
                dear = _median(figures[bench], other, "cpu_us_per_event")
                ratios[f"{bench}_vs_{other}_cpu"] = dear / _median(
                    figures[bench], "ours", "cpu_us_per_event"
                )
    if "latency" in figures:
        for figure in ("p50_ms", "p99_ms"):
            ours = _median(figures["latency"], "ours", figure)
            for other in ("stock", "quix"):
                ratios[f"latency_{figure[:3]}_{other}_vs_ours"] = (
                    _median(figures["latency"], other, figure) / ours
                )
            ratios[f"latency_{figure[:3]}_vs_echo"] = ours / _median(
                figures["latency"], "bare", figure
            )
    return {name: round(ratio, 2) for name, ratio in ratios.items()}


def _median(result: object, name: str, figure: str) -> float:
    found: float = result[name][figure]["median"]  # type: ignore[index]
    return found


if __name__ == "__main__":
    main()
