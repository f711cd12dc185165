"""Reports as people read them in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table as RichTable

from streams.pages.parts import Bars, Table

_BAR = 40  # of the longest bar
_LEAST_WIDTH = 120  # below that, rich would break numbers in two


def console() -> Console:
    """Return what the functions below print to: stdout, wide enough for their tables."""
    width = max(Console().width, _LEAST_WIDTH)
    return Console(markup=False, highlight=False, width=width)


def print_headline(out: Console, title: str, named: Sequence[tuple[str, str]]) -> None:
    """Print what matters most, as (name, value)."""
    out.print(title, style="bold")
    _print(out, (), named)


def print_table(out: Console, table: Table) -> None:
    """Print a table under its title."""
    out.print(f"\n{table.title}", style="bold")
    _print(out, table.heads, table.rows)


def print_bars(out: Console, chart: Bars) -> None:
    """Print a chart, a line for each bar."""
    out.print(f"\n{chart.title}, {chart.unit}", style="bold")
    rows = [
        (label if not number else "", bar.text, "█" * round(_BAR * bar.part))
        for label, drawn in chart.rows
        for number, bar in enumerate(drawn)
    ]
    _print(out, (), rows)


def _print(out: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = RichTable(*heads, box=None, pad_edge=False, show_header=bool(heads))
    for row in rows:
        table.add_row(*row)
    out.print(table)
