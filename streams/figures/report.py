"""An evaluation as one HTML file: no script, and nothing from another host."""

from pathlib import Path

from streams.figures.result import Evaluation
from streams.figures.words import NOTES, charts, headline, lines, summary, tables
from streams.pages.render import render

_TEMPLATE = Path(__file__).with_name("report.html")


def page(found: Evaluation) -> str:
    """Return the report; every text out of the data is escaped."""
    return render(
        _TEMPLATE,
        found=found,
        summary=summary(found),
        headline=headline(found),
        lines=lines(found),
        charts=charts(found),
        tables=tables(found),
        notes=NOTES,
    )
