"""Benches a and b: how fast a contestant works through a log that is already there."""

import asyncio
import time
from dataclasses import dataclass

from bench.contestant import Contestant, ContestantEnded, job_alone
from bench.site import Site

WATCH_EVERY_S = 0.05
COMMIT_S = 1.0  # Quix Streams keeps its own default, see there
BARE_COMMIT_S = 0.2  # it is through too soon to be seen often enough otherwise
STALLED_S = 90.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A look at a contestant at the moment its committed offsets moved."""

    at_s: float
    records: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One contestant, one round."""

    events_per_s: float
    cpu_us_per_event: float
    rss_mb: float
    state_mb: float
    steady_records: int
    steady_s: float
    steady: bool  # else too few records: counted from the process's start
    extrapolated: bool


async def run(
    site: Site, name: str, source: str, records: int, *, output: bool, steady_s: float | None
) -> Figures:
    """Run one contestant through a source topic from its start.

    The steady state lies between the first and the last commit that left records to be read, so
    neither starting nor waiting at the end counts.

    Args:
        site: where the topics are.
        name: of the contestant.
        source: a topic that holds `records`.
        records: how many.
        output: whether each event has an output record, too.
        steady_s: stop after so long a steady state; None goes to the end of the log.
    """
    commit_s = BARE_COMMIT_S if name == "bare" else COMMIT_S
    async with job_alone(site, name, source, output=output, commit_s=commit_s) as job:
        with Contestant(name, job) as contestant:
            begun = Seen(time.perf_counter(), 0, 0.0)
            seen = await _watch(site, contestant, records, steady_s)
            state_mb = contestant.state_mb()
        return _figures(begun, seen, records, contestant.rss_mb, state_mb)


async def _watch(
    site: Site, contestant: Contestant, records: int, steady_s: float | None
) -> list[Seen]:
    """Return a look at each move of the committed offsets, until the end."""
    job = contestant.job
    seen: list[Seen] = []
    moved_s = time.perf_counter()
    while True:
        committed = await site.committed(job.group, job.source)
        now, cpu_s = time.perf_counter(), contestant.cpu_s()
        if committed > (seen[-1].records if seen else 0):
            seen.append(Seen(now, committed, cpu_s))
            moved_s = now
        if committed >= records:
            return seen
        if steady_s is not None and seen and seen[-1].at_s - seen[0].at_s >= steady_s:
            return seen
        if now - moved_s > STALLED_S:
            tail = contestant.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise ContestantEnded(
                f"{contestant.name} committed nothing for {STALLED_S:.0f} s, at {committed} of "
                f"{records}:\n{tail}"
            )
        await asyncio.sleep(WATCH_EVERY_S)


def _figures(
    begun: Seen, seen: list[Seen], records: int, rss_mb: float, state_mb: float
) -> Figures:
    within = [each for each in seen if each.records < records]
    steady = len(within) >= 2
    first, last = (within[0], within[-1]) if steady else (begun, seen[-1])
    done, took_s = last.records - first.records, last.at_s - first.at_s
    return Figures(
        events_per_s=done / took_s,
        cpu_us_per_event=(last.cpu_s - first.cpu_s) / done * 1e6,
        rss_mb=rss_mb,
        state_mb=state_mb,
        steady_records=done,
        steady_s=took_s,
        steady=steady,
        extrapolated=seen[-1].records < records,
    )
