"""Edges and labels of the histograms."""

from collections.abc import Sequence

Bins = tuple[Sequence[float], Sequence[str]]
"""Lower edge of every bin but the first; a label for each bin."""


def _prices() -> Bins:
    edges = [step * 10.0**power for power in range(-1, 4) for step in (1, 2, 5)] + [1e4]
    labels = [f"{edge:,g}+" for edge in edges]
    return edges, ["under 0.1", *labels]


def _counts() -> Bins:
    edges = [2.0**power for power in range(1, 14)]
    labels = ["1", "2-3"]
    labels += [f"{1 << power:,}-{(1 << power + 1) - 1:,}" for power in range(2, 13)]
    return edges, [*labels, f"{1 << 13:,}+"]


_DAY_S = 86_400.0

PRICES = _prices()
COUNTS = _counts()
DURATIONS: Bins = (
    (1, 10, 60, 300, 1_800, 3_600, 6 * 3_600, _DAY_S, 7 * _DAY_S, 30 * _DAY_S, 90 * _DAY_S),
    (
        "under 1 s",
        "1 s+",
        "10 s+",
        "1 min+",
        "5 min+",
        "30 min+",
        "1 h+",
        "6 h+",
        "1 day+",
        "7 days+",
        "30 days+",
        "90 days+",
    ),
)
"""In seconds; a label names the bin's lower edge."""
HOURS: Bins = (tuple(range(1, 24)), tuple(f"{hour:02}" for hour in range(24)))
