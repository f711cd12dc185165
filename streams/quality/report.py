"""The report on data as one HTML file: no script, and nothing from another host."""

from pathlib import Path

from streams.pages.render import render
from streams.quality.result import Quality
from streams.quality.words import BOUNDS, bars, headline, tables

_TEMPLATE = Path(__file__).with_name("report.html")


def page(quality: Quality) -> str:
    """Return the report; every text out of the data is escaped."""
    return render(
        _TEMPLATE,
        source=quality.source,
        headline=headline(quality),
        tables=tables(quality),
        lines=[],
        charts=[bars(one) for one in quality.drawn()],
        notes=[BOUNDS],
    )
