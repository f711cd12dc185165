"""A report as one HTML file: no script, and nothing from another host."""

from pathlib import Path

from streams.pages.render import render
from streams.report.drawn import charts, lines, tables
from streams.report.result import Report
from streams.report.words import NOTES, headline, limits, summary, title

_TEMPLATE = Path(__file__).with_name("report.html")


def page(found: Report) -> str:
    """Return the report; every text out of the data is escaped."""
    return render(
        _TEMPLATE,
        found=found,
        title=title(found),
        summary=summary(found),
        headline=headline(found),
        limits=limits(found),
        lines=lines(found),
        charts=charts(found),
        tables=tables(found),
        notes=NOTES,
    )
