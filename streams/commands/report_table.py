"""A report on a period as people read it in a terminal."""

from streams.commands.tables import console, print_bars, print_headline, print_table
from streams.report.drawn import charts, tables
from streams.report.result import Report
from streams.report.words import headline, limits, summary, title


def show(found: Report) -> None:
    """Print the headline, what could not be seen, every table and every chart of bars."""
    out = console()
    print_headline(out, f"{title(found)}: {found.source}", headline(found))
    out.print(f"\n{summary(found)}")
    for limit in limits(found):
        out.print(limit, style="dim")
    for table in tables(found):
        print_table(out, table)
    for chart in charts(found):
        print_bars(out, chart)
