"""What the dashboard remembers of every moment: a column each."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from streams.dashboard.flows import quantiles, ratio, trailing
from streams.dashboard.readings import AGE, AGES
from streams.dashboard.ring import Thinned
from streams.lists import SURFACES
from streams.metrics import LATENCY_BUCKETS_S, TABLES

_Floats = NDArray[np.float64]
Key = tuple[str, str]

SENT = ("click", "search", "purchase", "catalog", "lists", "dead_letters")
"""Records a second that came into topics."""
_OUTCOMES = ("outcomes", "outcome_hits", "outcome_reciprocal_ranks")
_LEARNT: tuple[Key, ...] = (("learnt_outcomes", ""), ("learnt_loss_nats", ""))
_JUDGED = ("skipped_events", "late_events", "unstored_events", "mended_fields")
FLOWS: tuple[Key, ...] = (
    *((AGE, bucket) for bucket in AGES),
    *((name, surface) for name in _OUTCOMES for surface in SURFACES),
    *_LEARNT,
)
"""Counters of the workers whose growth is remembered."""


def _name(key: Key) -> str:
    return " ".join(key).strip()


COLUMNS = (
    *SENT,
    "lag",
    *map(_name, FLOWS),
    *_JUDGED,
    *(f"rows {table}" for table in TABLES),
    "size_bytes",
)
Known = Mapping[str, float]
"""By column; one that is not there is unknown."""
QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
_AT = {column: number for number, column in enumerate(COLUMNS)}
_MS = 1000
_LATENCY_POINTS = 5
"""Points whose lists a percentile is of: one span alone has few."""
_QUALITY_S = 60
"""Least time that a hit rate is of."""


def row(known: Known) -> list[float]:
    """Return a moment's numbers in the order of `COLUMNS`."""
    return [known.get(column, np.nan) for column in COLUMNS]


def grown(flows: Mapping[Key, float]) -> dict[str, float]:
    """Return the columns of how fast the workers' counters grow; of what none counts yet, 0."""
    judged = {name: sum(v for (of, _), v in flows.items() if of == name) for name in _JUDGED}
    return {_name(key): flows.get(key, 0.0) for key in FLOWS} | judged


def drawn(kept: Thinned, span_s: float) -> dict[str, _Floats]:
    """Return the lines of the charts.

    Args:
        kept: What is remembered of a window.
        span_s: Length of what one point stands for.
    """

    def column(name: str) -> _Floats:
        values: _Floats = kept.values[:, _AT[name]]
        return values

    def per(parts: Key, wholes: Key) -> _Floats:
        points = max(1, round(_QUALITY_S / span_s))
        sums = (trailing(column(_name(key)), points) for key in (parts, wholes))
        return ratio(*sums)

    buckets = np.stack([column(_name((AGE, bucket))) for bucket in AGES], 1)
    ages = trailing(buckets, _LATENCY_POINTS)
    lines = {name: column(name) for name in (*SENT, "lag", *_JUDGED, "size_bytes")}
    lines |= {table: column(f"rows {table}") for table in TABLES}
    lines |= {name: quantiles(LATENCY_BUCKETS_S, ages, q) * _MS for name, q in QUANTILES.items()}
    for surface in SURFACES:
        wholes = ("outcomes", surface)
        lines[f"hit_rate_{surface}"] = per(("outcome_hits", surface), wholes)
        lines[f"mrr_{surface}"] = per(("outcome_reciprocal_ranks", surface), wholes)
    lines["loss_nats"] = per(_LEARNT[1], _LEARNT[0])
    return lines
