"""A worker's `/metrics` -> what the dashboard shows of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics import LATENCY_BUCKETS_S, TABLES

Counters = Mapping[tuple[str, str], float]
"""By name (without `headrace_` and `_total`) and the value of its first label, "" for none."""

AGE = "list_age_seconds"
AGES = (*(f"{bound}" for bound in LATENCY_BUCKETS_S), "+Inf")
"""The second half of the keys under which the ages of lists are counted, bucket by bucket."""
_PREFIX = "headrace_"


class BadReading(ValueError):
    """What answers is no worker of ours."""


class Reading(Struct, frozen=True, kw_only=True):
    """One look at one worker.

    Attributes:
        worker_id: Its name in the group, "" for none.
        model: The version of what ranks, "" before any does.
        prevails: Whether what was learnt from outcomes ranks.
        recovering: Whether tables are being read back.
        remaining: Changelog offsets to go.
        stalled: Partitions that make no progress.
        items: In its index.
        rows, size_bytes: Of each table.
        counters: What it has counted since it started.
    """

    worker_id: str
    model: str
    prevails: bool
    recovering: bool
    remaining: int
    stalled: int
    items: int
    rows: dict[str, int]
    size_bytes: dict[str, int]
    counters: Counters


def read(text: str) -> Reading:
    """Return what a worker says.

    Raises:
        BadReading: it is no worker's metrics.
    """
    counters: defaultdict[tuple[str, str], float] = defaultdict(float)
    gauges: dict[str, dict[str, float]] = defaultdict(dict)
    ages: list[tuple[str, float]] = []
    try:
        for family in text_string_to_metric_families(text):
            if not family.name.startswith(_PREFIX):
                continue
            name = family.name.removeprefix(_PREFIX)
            for sample in family.samples:
                label = next(iter(sample.labels.values()), "")
                if family.type == "counter" and sample.name.endswith("_total"):
                    counters[name, label] += sample.value
                elif family.type == "gauge":
                    gauges[name][label] = sample.value
                elif name == AGE and sample.name.endswith("_bucket"):
                    ages.append((label, sample.value))
    except ValueError as error:
        raise BadReading(f"no metrics: {error}") from error
    if "worker" not in gauges:
        raise BadReading("metrics, but no worker's: `headrace_worker` is not among them")
    counters |= {(AGE, label): count for label, count in _apart(ages)}

    def only(name: str) -> float:
        return next(iter(gauges[name].values()), 0.0)

    return Reading(
        worker_id=next(iter(gauges["worker"])),
        model=next((version for version, on in gauges["model"].items() if on), ""),
        prevails=bool(only("learning_prevails")),
        recovering=bool(only("recovering")),
        remaining=int(only("recovery_remaining_offsets")),
        stalled=int(only("stalled_partitions")),
        items=int(only("index_items")),
        rows={table: int(gauges["table_rows"].get(table, 0)) for table in TABLES},
        size_bytes={table: int(gauges["table_bytes"].get(table, 0)) for table in TABLES},
        counters=dict(counters),
    )


def added(several: Iterable[Counters]) -> dict[tuple[str, str], float]:
    """Return the sum of counters, or of how fast they grow, over workers."""
    total: defaultdict[tuple[str, str], float] = defaultdict(float)
    for counters in several:
        for name, value in counters.items():
            total[name] += value
    return dict(total)


def by_label(counters: Counters, name: str) -> dict[str, float]:
    """Return the counters of one name by their label, the greatest first."""
    found = {label: value for (of, label), value in counters.items() if of == name and value}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _apart(cumulative: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return what fell into each bucket, where the samples say what fell below its end."""
    before = [0.0, *(count for _, count in cumulative)]
    return [
        (label, count - below) for (label, count), below in zip(cumulative, before, strict=False)
    ]
