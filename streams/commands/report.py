"""`headrace report`: what a running installation did over a period."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams import garbage
from streams.clock import now_ms
from streams.commands.terminal import check_page, counting, write_page
from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(report)


def report(
    *,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="As 2026-01-31 or 2026-01-31T12:00, UTC, or with a zone: ...T12:00+01:00. Left "
            "out: a day before --to.",
            metavar="TIME",
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option("--to", help="Likewise; not included. Left out: now.", metavar="TIME"),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            help="Write a page with plots, too: one file that needs no network.",
            dir_okay=False,
            metavar="FILE.html",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Report on a period: what users did, what they were shown, and what came out of it.

    Read from the topics of a running installation, with the period of the same length before it for
    comparison. Kafka keeps all lists of the last day, of older ones only some: the report says of
    how many clicks and purchases it could tell whether they came out of a list.

    Examples:

      headrace report --report yesterday.html

      headrace report --from 2026-01-24 --to 2026-01-31 --report week.html

      headrace report --from 2026-01-31T08:00+01:00 --to 2026-01-31T20:00+01:00 --json
    """
    from streams.report.making import make_report
    from streams.report.period import BadPeriod, period

    check_page(page)
    try:
        wanted = period(begin, end, now_ms())
    except BadPeriod as error:
        raise typer.BadParameter(str(error)) from error
    garbage.calm()
    with counting("records") as read:
        found = make_report(Settings(), wanted, read)
    if page is not None:
        from streams.report.page import page as drawn

        write_page(page, drawn(found))
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        from streams.commands import report_table

        report_table.show(found)
