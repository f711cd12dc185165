"""A report on data as people read it in a terminal."""

from streams.commands.tables import console, print_bars, print_headline, print_table
from streams.quality.result import Quality
from streams.quality.words import BOUNDS, bars, headline, tables


def show(quality: Quality) -> None:
    """Print the headline, every table and every histogram."""
    out = console()
    print_headline(out, quality.source, headline(quality))
    for table in tables(quality):
        print_table(out, table)
    for histogram in quality.drawn():
        print_bars(out, bars(histogram))
    out.print(f"\n{BOUNDS}", style="dim")
