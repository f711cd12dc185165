"""What the page is told: one JSON document for each window, the same for all viewers."""

import gzip
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.dashboard.cluster import Member
from streams.dashboard.collector import EVERY_S, Collector, State
from streams.dashboard.columns import drawn
from streams.dashboard.popularity import Items
from streams.dashboard.readings import Reading, added, by_label
from streams.dashboard.ring import Thinned
from streams.dashboard.workers import members_of
from streams.settings import Settings

WINDOWS = {"5m": 300, "1h": 3600, "24h": 86_400}
"""Seconds of each window that the page may ask for."""
POINTS = 360
"""At most, of each line."""
PARTITIONS = 32
"""Partitions that are shown: of more, those that are furthest behind."""
REASONS = {
    "dead_letters": "dead_letters",
    "skipped": "skipped_events",
    "late": "late_events",
    "unstored": "unstored_events",
    "mended": "mended_fields",
}
_DIGITS = 4
_PACKED = 1  # as fast as can be


class Lag(Struct, frozen=True, kw_only=True):
    """A partition: who works at it, and how many records of each topic wait there."""

    partition: int
    worker: str | None
    records: dict[str, int]
    total: int


class Worker(Struct, frozen=True, kw_only=True):
    """A member of the group, or a process that answers and is none.

    Attributes:
        name: In the group; None for one that is not in it.
        address: Where its metrics are; None where that is not known.
        partitions: That it works at.
        lag: Records that wait there.
        trouble: Why it tells nothing; None where it does.
        said: What it does tell.
    """

    name: str | None
    address: str | None
    partitions: tuple[int, ...]
    lag: int
    trouble: str | None
    model: str | None = None
    recovering: bool = False
    remaining: int = 0
    stalled: int = 0
    rows: dict[str, int] | None = None
    size_bytes: int | None = None


class Told(Struct, frozen=True, kw_only=True):
    """The document.

    Attributes:
        at: When, ms.
        every_s: How soon it changes.
        broker, trouble, trouble_since: Kafka: its address, and why and since when it is silent.
        group: State of the workers' group.
        workers_known: Whether there is a way to find the workers' metrics.
        times: Of the points of `lines`, s.
        lines: See `streams.dashboard.columns.drawn`.
        totals: Of events since the workers started, by kind.
        reasons: What became of events, and why, since the workers started.
        prevails: In how many workers what was learnt ranks.
    """

    at: int
    every_s: int
    broker: str
    trouble: str
    trouble_since: int
    group: str
    workers_known: bool
    workers: tuple[Worker, ...]
    lags: tuple[Lag, ...]
    partitions: int
    lag: int | None
    times: list[int]
    lines: dict[str, list[float | None]]
    totals: dict[str, float]
    reasons: dict[str, dict[str, float]]
    models: tuple[str, ...]
    swaps: tuple[tuple[int, str], ...]
    prevails: int
    items_known: int
    items: Items


class View:
    """Documents, made once a round for each window that is looked at.

    Args:
        collector: Whose rounds they are of.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._made: dict[str, tuple[int, bytes]] = {}

    def ready(self, window: str) -> tuple[int, bytes] | None:
        """Return the newest round and its gzipped document; None before it is made."""
        made = self._made.get(window)
        return made if made is not None and made[0] == self._collector.rounds else None

    def made(self, window: str) -> tuple[int, bytes]:
        """Return the same, made if need be, which takes some ms."""
        collector = self._collector
        with collector.lock:
            made = self.ready(window)
            if made is None:
                kept = collector.history.thinned(WINDOWS[window], POINTS)
                told = _told(collector.settings, collector.state, kept, collector.workers_known)
                made = collector.rounds, gzip.compress(msgspec.json.encode(told), _PACKED)
                self._made[window] = made
        return made


def _told(settings: Settings, state: State, kept: Thinned, workers_known: bool) -> Told:
    offsets = state.offsets
    counters = added(one.counters for one in state.answering)
    lags = _lags(settings, state)
    span_s = float(kept.times[1] - kept.times[0]) if len(kept.times) > 1 else EVERY_S
    return Told(
        at=state.at_ms,
        every_s=EVERY_S,
        broker=settings.broker,
        trouble=state.trouble,
        trouble_since=state.trouble_since_ms,
        group="" if offsets is None else offsets.group,
        workers_known=workers_known,
        workers=tuple(_workers(settings, state, lags)),
        lags=tuple(sorted(lags, key=lambda one: (-one.total, one.partition))[:PARTITIONS]),
        partitions=len(lags),
        lag=None if offsets is None else sum(offsets.lags.values()),
        times=kept.times.tolist(),
        lines={name: _rounded(values) for name, values in drawn(kept, span_s).items()},
        totals=by_label(counters, "events"),
        reasons={shown: by_label(counters, name) for shown, name in REASONS.items()},
        models=tuple(sorted(state.models)),
        swaps=tuple(state.swaps),
        prevails=sum(one.prevails for one in state.answering),
        items_known=max((one.items for one in state.answering), default=0),
        items=state.items,
    )


def _lags(settings: Settings, state: State) -> list[Lag]:
    if state.offsets is None:
        return []
    prefix = len(settings.topic_prefix)
    owners = {n: member.name for member in state.offsets.members for n in member.partitions}
    records: dict[int, dict[str, int]] = {}
    for (topic, number), lag in state.offsets.lags.items():
        records.setdefault(number, {})[topic[prefix:]] = lag
    return [
        Lag(partition=n, worker=owners.get(n), records=each, total=sum(each.values()))
        for n, each in sorted(records.items())
    ]


def _workers(settings: Settings, state: State, lags: Sequence[Lag]) -> list[Worker]:
    members = () if state.offsets is None else state.offsets.members
    waiting = {lag.partition: lag.total for lag in lags}
    hosts = {member.name: member.host for member in members}
    addresses = members_of(state.names, hosts, settings.metrics_port)
    found = [_worker(one, addresses.get(one.name), state.readings, waiting) for one in members]
    strangers = state.readings.keys() - set(addresses.values())
    return found + [
        _worker(None, address, state.readings, waiting) for address in sorted(strangers)
    ]


def _worker(
    member: Member | None,
    address: str | None,
    readings: Mapping[str, Reading | str],
    waiting: Mapping[int, int],
) -> Worker:
    partitions = () if member is None else member.partitions
    said = readings.get(address) if address is not None else None
    base = Worker(
        name=None if member is None else member.name,
        address=address,
        partitions=partitions,
        lag=sum(waiting.get(n, 0) for n in partitions),
        trouble="its metrics are not known here" if said is None else None,
    )
    if isinstance(said, str):
        return msgspec.structs.replace(base, trouble=said)
    if said is None:
        return base
    return msgspec.structs.replace(
        base,
        model=said.model,
        recovering=said.recovering,
        remaining=said.remaining,
        stalled=said.stalled,
        rows=said.rows,
        size_bytes=sum(said.size_bytes.values()),
    )


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    """Return values as JSON has them, with as many digits as a line can show."""
    return [None if value != value else float(f"{value:.{_DIGITS}g}") for value in values.tolist()]  # noqa: PLR0124  NaN
