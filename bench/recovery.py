"""Recovery onto an empty disk: the batch engine beside stock Faust and Quix Streams.

    python -m bench.recovery [--records N] [--rounds N] [--broker HOST:PORT] [--json]

A changelog of so many rows of 1 KiB lies in Kafka. A contestant starts without any state; when
it has answered an event it has recovered. It then starts again, with its state, which takes what
a start takes anyway: the difference is the recovery. Prints one JSON object with --json, else a
table.
"""

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from bench import work
from bench.contestant import Contestant, ContestantEnded, scratch
from bench.contestants.job import Job
from bench.machine import machine, spread
from bench.site import PARTITIONS, Pair, Site, kafka
from bench.tables import table

NAMES = ("stock", "ours", "quix")
LOOK_EVERY_S = 0.1
GIVE_UP_S = 1800.0
SEND_AGAIN_S = 15.0
_STRIDE = 7_919_777  # a prime, so it visits each row once
_QUIX_HEADER = (b"__column_family__", b"default")  # the store's only one


@dataclass(frozen=True, slots=True)
class Recovery:
    """One contestant, one round."""

    recovery_s: float  # not above 0 where a start's noise hides it
    rows_per_s: float  # then 0
    cpu_us_per_row: float
    start_s: float  # with its state at hand
    rss_mb: float
    state_mb: float


@dataclass(frozen=True, slots=True)
class Started:
    """From a process's start to its first answer."""

    took_s: float
    cpu_s: float
    rss_mb: float


def main() -> None:
    """Run all of it and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=1_000_000, help="rows in the changelog")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--broker", help="host:port; a Kafka of its own without it")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with kafka(given.broker) as address:
        figures = asyncio.run(measure(address, given.records, given.rounds))
    if given.json:
        print(json.dumps(figures))
        return
    print(table(figures["recovery"]))
    print(json.dumps({name: figures[name] for name in ("ratios", "machine")}, indent=2))


async def measure(broker: str, records: int, rounds: int) -> dict[str, object]:
    """Run the rounds; return every figure."""
    found: dict[str, list[Recovery]] = defaultdict(list)
    async with Site(broker) as site:
        jobs = {name: await _prepared(site, name, records) for name in NAMES}
        for round_ in range(rounds):
            for name in NAMES:
                one = await _recover(site, name, jobs[name], records)
                found[name].append(one)
                print(f"round {round_ + 1}, {name}: {one}", file=sys.stderr)
        for job in jobs.values():
            await site.delete(job.group)
    merged = {
        name: {
            figure: spread([asdict(each)[figure] for each in all_], 2) for figure in asdict(all_[0])
        }
        for name, all_ in found.items()
    }
    rate = {name: float(merged[name]["rows_per_s"]["median"]) for name in NAMES}  # type: ignore[arg-type]
    cost = {name: float(merged[name]["cpu_us_per_row"]["median"]) for name in NAMES}  # type: ignore[arg-type]
    return {
        "what": "recovery",
        "rows": records,
        "row_bytes": work.ROW_BYTES,
        "partitions": PARTITIONS,
        "rounds": rounds,
        "recovery": merged,
        "ratios": {
            f"recovery_vs_{other}{suffix}": ratio
            for other in ("stock", "quix")
            for suffix, ratio in (
                ("", _ratio(rate["ours"], rate[other])),
                ("_cpu", _ratio(cost[other], cost["ours"])),
            )
        },
        "machine": machine(),
    }


def _ratio(one: float, other: float) -> float | None:
    """Return one / other; None where so few rows were recovered that a start's noise hides them."""
    return round(one / other, 4) if one > 0 and other > 0 else None


async def _prepared(site: Site, name: str, records: int) -> Job:
    """Make a contestant's topics, the changelog full; return its job, directory to come."""
    group = f"bench-{name}-{uuid.uuid4().hex[:8]}"
    job = Job(
        broker=site.broker,
        group=group,
        source=f"{group}.events",
        changelog=f"{group}.rows",
        output=f"{group}.answers",
        data_dir="",
        prompt=True,
    )
    quix = name == "quix"
    changelog = f"changelog__{group}--{job.source}--default" if quix else job.changelog
    await site.create(job.source, job.output or "")
    await site.create(changelog, compacted=True)
    await site.publish(changelog, _rows(records, quix=quix), [_QUIX_HEADER] if quix else [])
    return job


def _rows(records: int, *, quix: bool) -> Iterable[Pair]:
    """Yield the rows of as many users, out of order, keyed as the contestant keys them."""
    for number in range(records):
        user = work.user_id(number * _STRIDE % records)
        yield f'{user}|"row"'.encode() if quix else user.encode(), work.first_row(user)


async def _recover(site: Site, name: str, job: Job, records: int) -> Recovery:
    with scratch(name) as directory:
        job = replace(job, data_dir=str(Path(directory) / "state"))
        empty, _ = await _start(site, name, job)
        warm, state_mb = await _start(site, name, job)
    took_s = empty.took_s - warm.took_s
    return Recovery(
        recovery_s=took_s,
        rows_per_s=records / took_s if took_s > 0 else 0.0,
        cpu_us_per_row=(empty.cpu_s - warm.cpu_s) / records * 1e6,
        start_s=warm.took_s,
        rss_mb=empty.rss_mb,
        state_mb=state_mb,
    )


async def _start(site: Site, name: str, job: Job) -> tuple[Started, float]:
    """Start a contestant and send one event; return when it is answered.

    Stock Faust loses what it fetches while its tables recover, most times nothing. So an event
    that is not answered is followed by another, and an answer to any of them ends the start.
    """
    before = sum((await site.ends(job.output or "")).values())
    event = work.Click("event", work.user_id(0), "item-00000000", 0, "session", 0)
    sent = [(event.user_id.encode(), work.encode(event))]
    await site.publish(job.source, sent)
    begun, again_s = time.perf_counter(), SEND_AGAIN_S
    with Contestant(name, job) as contestant:
        async with AIOKafkaConsumer(bootstrap_servers=site.broker) as consumer:
            while True:
                ends = await site.ends(job.output or "", consumer)
                took_s, cpu_s = time.perf_counter() - begun, contestant.cpu_s()
                if sum(ends.values()) > before:
                    return Started(took_s, cpu_s, contestant.rss_mb), contestant.state_mb()
                if took_s > again_s:
                    await site.publish(job.source, sent)
                    again_s = took_s + SEND_AGAIN_S
                if took_s > GIVE_UP_S:
                    raise ContestantEnded(f"{name} did not recover within {GIVE_UP_S:.0f} s")
                await asyncio.sleep(LOOK_EVERY_S)


if __name__ == "__main__":
    main()
