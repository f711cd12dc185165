"""An evaluation as people read it in a terminal."""

from streams.commands.tables import console, print_bars, print_headline, print_table
from streams.figures.result import Evaluation
from streams.figures.words import charts, headline, summary, tables


def show(found: Evaluation) -> None:
    """Print the headline, every table and every chart of bars."""
    out = console()
    print_headline(out, f"{found.data}, {found.protocol}, seed {found.seed}", headline(found))
    out.print(f"\n{summary(found)}")
    for table in tables(found):
        print_table(out, table)
    for chart in charts(found):
        print_bars(out, chart)
