"""What was found, in words: the same for the terminal and for the page."""

from datetime import UTC, datetime

from features.guard import REPEAT_MS
from streams.pages.parts import Bar, Bars, Table, number
from streams.quality.measure import IDS, RECENT, USERS
from streams.quality.result import Histogram, Quality

BOUNDS = (
    f"Exact for up to {USERS:,} users and {IDS:,} event ids, items, queries and categories each; "
    "beyond that a uniform sample by hash is followed, and its counts are estimates. "
    f"Repeated actions and bursts are found among the last {RECENT:,} actions and users. "
    "Quantiles are within 2 %."
)


def headline(quality: Quality) -> list[tuple[str, str]]:
    """Return what matters most, as (name, value)."""
    return [
        *(
            (f"{kind}s" if kind != "search" else "searches", f"{count:,}")
            for kind, count in quality.events.items()
        ),
        ("catalogue entries", f"{quality.items:,}"),
        ("first event", date(quality.first_ts)),
        ("last event", date(quality.last_ts)),
        ("invalid", f"{sum(one.count for one in quality.invalid):,}"),
        ("repeated event ids", _count(quality, "repeated_ids", quality.repeated_ids)),
        (f"repeated actions within {REPEAT_MS // 1000} s", f"{quality.repeated_actions:,}"),
        ("behind their log", _late(quality.behind_log)),
        ("behind their user", _late(quality.behind_user)),
        ("items that no catalogue names", _count(quality, "uncatalogued", quality.uncatalogued)),
    ]


def tables(quality: Quality) -> list[Table]:
    """Return everything that is a list; those that have nothing to say are left out."""
    found = [
        Table(
            "Invalid, by reason",
            ("reason", "lines", "for example"),
            [(one.reason, f"{one.count:,}", one.examples[0]) for one in quality.invalid],
        ),
        Table(
            "Missing values",
            ("of", "field", "missing", "share"),
            [
                (one.kind, one.field, f"{one.missing:,}", f"{one.missing / one.of:.1%}")
                for one in quality.missing
            ],
        ),
        Table(
            "Distinct values",
            ("what", "distinct", "counted"),
            [
                (one.name, f"{one.distinct:,}", "exactly" if one.exact else "estimated")
                for one in quality.cardinalities
            ],
        ),
        Table(
            "Busiest minute of a user: a bot, or one order of many lines",
            ("user", "events", "minute"),
            [(one.user_id, f"{one.events:,}", date(one.minute)) for one in quality.bursts],
        ),
        Table(
            "Distributions",
            ("what", "unit", "values", "least", "p50", "p90", "p99", "most", "mean"),
            [
                (
                    one.title,
                    one.unit,
                    _count(quality, one.name, one.count),
                    *(
                        number(value)
                        for value in (one.least, one.p50, one.p90, one.p99, one.most, one.mean)
                    ),
                )
                for one in quality.drawn()
            ],
        ),
    ]
    return [table for table in found if table.rows]


def bars(histogram: Histogram) -> Bars:
    """Return the chart of a histogram; empty ends are left out."""
    bins = histogram.trimmed()
    most = max(one.count for one in bins)
    return Bars(
        histogram.title,
        histogram.unit,
        [(one.label, [Bar(f"{one.count:,}", one.count / most)]) for one in bins],
    )


def date(ts: int | None) -> str:
    """Return a time in ms as people read it, UTC."""
    return "-" if ts is None else f"{datetime.fromtimestamp(ts / 1000, UTC):%Y-%m-%d %H:%M}"


def _late(histogram: Histogram) -> str:
    if not histogram.count:
        return "0"
    median, most = number(histogram.p50), number(histogram.most)
    return f"{histogram.count:,}, by {median} s at the median, {most} s at most"


def _count(quality: Quality, name: str, count: int) -> str:
    return f"about {count:,}" if name in quality.estimated else f"{count:,}"
