"""A report on data as people read it in a terminal."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from streams.quality.result import Quality
from streams.quality.words import BOUNDS, bars, headline, tables

_BAR = 40  # of the longest bar
_LEAST_WIDTH = 120  # below that, rich would break numbers in two


def show(quality: Quality) -> None:
    """Print the headline, every table and every histogram."""
    width = max(Console().width, _LEAST_WIDTH)
    console = Console(markup=False, highlight=False, width=width)
    console.print(quality.source, style="bold")
    _print(console, (), headline(quality))
    for title, heads, rows in tables(quality):
        console.print(f"\n{title}", style="bold")
        _print(console, heads, rows)
    for histogram in quality.drawn():
        console.print(f"\n{histogram.title}, {histogram.unit}", style="bold")
        drawn = ((label, count, "█" * round(_BAR * part)) for label, count, part in bars(histogram))
        _print(console, (), drawn)
    console.print(f"\n{BOUNDS}", style="dim")


def _print(console: Console, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(*heads, box=None, pad_edge=False, show_header=bool(heads))
    for row in rows:
        table.add_row(*row)
    console.print(table)
