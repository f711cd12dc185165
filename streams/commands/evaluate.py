"""`headrace evaluate`: how good are the lists, on a recorded log?"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams import garbage
from streams.commands.terminal import check_page, counting, write_page
from streams.data import read_folder
from streams.settings import Settings
from streams.settings_domains import domains_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(evaluate)


def evaluate(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder with events.jsonl (and items.jsonl), plain or .xz; protocol.json may say "
            "how it is scored."
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a page with plots, too: one file that needs no network.",
            dir_okay=False,
            metavar="FILE.html",
        ),
    ] = None,
    components: Annotated[
        bool,
        typer.Option(
            "--components", help="Rank the same candidates by every component alone, too."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Predict, score, then learn each event of a log, as its protocol says.

    Without a protocol each event after the first fifth is ranked for before it is learnt. Metrics
    are told of all predictions and by segment: by what was known of the user and of the item, and
    by how the item was found.

    Domains, and how much the items of a list shall differ, are those of the settings.

    Examples:

      headrace evaluate data/serenade

      headrace evaluate data/myshop --report myshop.html --components

      headrace evaluate data/online_retail --json > figures.json

      HEADRACE_DIVERSITY=0.3 headrace evaluate data/myshop
    """
    from streams.evaluate import evaluate as walk

    check_page(report)
    data = read_folder(folder)
    garbage.calm()
    settings = Settings()
    with counting("events") as read:
        found = walk(
            data,
            lambda _: read(),
            seed,
            domains_of(settings.domains),
            components=components,
            diversity=settings.diversity,
        )
    if report is not None:
        from streams.figures.report import page

        write_page(report, page(found))
    if as_json:
        typer.echo(msgspec.json.encode(found.plain()))
    else:
        from streams.commands import figures_table

        figures_table.show(found)
