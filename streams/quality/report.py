"""The report as one HTML file: no script, and nothing from another host."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from streams.quality.result import Quality
from streams.quality.words import BOUNDS, bars, headline, tables

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
)


def page(quality: Quality) -> str:
    """Return the report; every text out of the data is escaped."""
    return _TEMPLATES.get_template("report.html").render(
        source=quality.source,
        headline=headline(quality),
        tables=tables(quality),
        charts=[(one, list(bars(one))) for one in quality.drawn()],
        bounds=BOUNDS,
    )
