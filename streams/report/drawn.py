"""What of a report is drawn: tables, lines over time, and bars."""

from collections.abc import Callable, Sequence

from streams.figures.words import MEANINGS, calibration, percent, segments_table
from streams.pages.parts import Bars, Line, Table, line
from streams.quality.words import bars
from streams.report.result import ItemUse, Report, Step
from streams.report.words import period_of


def tables(found: Report) -> list[Table]:
    """Return everything that is a list; those that have nothing to say are left out."""
    clock = period_of(found).clock
    made = [
        Table(
            "Revenue",
            ("currency", "purchases", "paid", "judged", "of that out of lists", "share"),
            [
                (
                    one.currency or "none named",
                    f"{one.purchases:,}",
                    f"{one.amount:,.2f}",
                    f"{one.judged:,.2f}",
                    f"{one.recommended:,.2f}",
                    percent(one.recommended / one.judged) if one.judged else "-",
                )
                for one in found.now.revenue
            ],
        ),
        segments_table(found.segments, found.k),
        Table("Items touched most", _ITEM_HEADS, [_item(one) for one in found.top]),
        Table(
            "Items that rose most since the period before",
            _ITEM_HEADS,
            [_item(one) for one in found.risen],
        ),
        Table(
            "Models",
            ("model_version", "first list in the period", "lists"),
            [(one.version, clock(one.first_ts), f"{one.lists:,}") for one in found.models],
        ),
        Table(
            "Dead letters, by reason",
            ("reason", "records"),
            [(reason, f"{count:,}") for reason, count in found.dead_letters.items()],
        ),
        Table("Quality of the data", ("what", "count"), _quality(found)),
        _metrics(found),
    ]
    return [table for table in made if table.rows]


def lines(found: Report) -> list[Line]:
    """Return what is drawn over time."""
    step, hits = _step(found.step_ms), f"Hit rate at {found.k}"
    swaps = [(_begin(found, one.first_ts), one.version) for one in found.models[1:]]
    shown = [
        _over_time(found, "Clicks", f"a {step}", lambda one: one.clicks),
        _over_time(found, "Searches", f"a {step}", lambda one: one.searches),
        _over_time(found, "Purchases", f"a {step}", lambda one: one.purchases),
        _over_time(found, "Lists that are still there", f"a {step}", lambda one: one.lists),
        _over_time(found, hits, f"by {step}", lambda one: one.hr, swaps),
        _over_time(found, f"MRR at {found.k}", f"by {step}", lambda one: one.mrr, swaps),
        _over_time(
            found,
            "From event to list, median",
            f"ms, by {step}",
            lambda one: one.wait_p50_ms,
            swaps,
        ),
        _over_time(
            found, "From event to list, 99 of 100", f"ms, by {step}", lambda one: one.wait_p99_ms
        ),
    ]
    return [one for one in shown if one is not None]


def charts(found: Report) -> list[Bars]:
    """Return what is drawn as bars: calibration, and how long lists took."""
    made = [calibration(found.reliability)] if found.reliability else []
    return made + ([bars(found.wait)] if found.wait.count else [])


def _metrics(found: Report) -> Table:
    """Return a row for each figure, with a column for each length of list that it is told at."""
    values: dict[str, dict[str, str]] = {}
    for name, value in found.metrics.items():
        figure, _, k = name.partition("@")
        values.setdefault(figure, {})[k or str(found.k)] = f"{value:,g}"
    lengths = sorted({k for by_length in values.values() for k in by_length}, key=int)
    rows = [
        (figure, *(by_length.get(k, "") for k in lengths), MEANINGS[figure])
        for figure, by_length in values.items()
    ]
    return Table("All figures of lists", ("figure", *(f"@{k}" for k in lengths), "meaning"), rows)


_ITEM_HEADS = ("item", "title", "clicks", "purchases", "touches before")


def _item(one: ItemUse) -> tuple[str, ...]:
    before = "-" if one.before is None else f"{one.before:,}"
    return one.item_id, one.title or "", f"{one.clicks:,}", f"{one.purchases:,}", before


def _quality(found: Report) -> list[tuple[str, str]]:
    quality = found.quality
    counts = [
        ("records that are no events", sum(one.count for one in quality.invalid)),
        ("event ids that came again", quality.repeated_ids),
        ("actions told twice", quality.repeated_actions),
        ("events older than their user's newest", quality.behind_user.count),
        ("purchases without a price", found.now.unpriced),
    ]
    return [(name, f"{count:,}") for name, count in counts]


def _over_time(
    found: Report,
    name: str,
    unit: str,
    value: Callable[[Step], float | None],
    marks: Sequence[tuple[float, str]] = (),
) -> Line | None:
    """Return the line of what is known of each step; None where it says nothing."""
    points = [(one.begin, known) for one in found.steps if (known := value(one)) is not None]
    if not any(known for _, known in points):
        return None
    return line(name, unit, points, clock=period_of(found).clock, marks=marks)


def _begin(found: Report, ts: int) -> float:
    """Return the beginning of a time's step, where the points are."""
    return found.begin + (ts - found.begin) // found.step_ms * found.step_ms


def _step(step_ms: int) -> str:
    minutes = step_ms // 60_000
    named = {1: "minute", 60: "hour", 1440: "day"}
    return named.get(minutes) or (
        f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hours"  # noqa: PLR2004
    )
