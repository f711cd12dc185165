"""`headrace features`: what is known of users and items, what a ranking uses, and how data is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streams import features_page
from streams.commands.terminal import counting, write_page
from streams.data import shops
from streams.settings import Settings

ShopName = Literal["online_retail", "eshop_clothing"]

app = typer.Typer(help="List the features, show their values, and report on data.")


@app.command("list")
def list_features(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One array, an object a feature.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/features.md, the page of all features.")
    ] = False,
) -> None:
    """List every feature: of users, of items and their categories, and of the ranker's vector.

    Examples:

      headrace features list

      headrace features list --json

      headrace features list --markdown > docs/features.md
    """
    from features.catalogue import FEATURES

    if markdown:
        typer.echo(features_page.markdown(), nl=False)
    elif as_json:
        typer.echo(msgspec.json.encode([features_page.plain(feature) for feature in FEATURES]))
    else:
        table = Table(box=None, pad_edge=False)
        for name in ("owner", "name", "meaning", "unit", "range", "missing"):
            table.add_column(name, overflow="fold")
        for feature in FEATURES:
            table.add_row(
                feature.owner,
                feature.name,
                feature.meaning,
                feature.unit,
                features_page.bounds(feature),
                features_page.missing(feature),
            )
        Console(markup=False, highlight=False).print(table)


@app.command()
def explain(
    user: Annotated[str, typer.Argument(help="Id of a user.", metavar="USER")],
    item: Annotated[str | None, typer.Argument(help="Id of an item.", metavar="ITEM")] = None,
    *,
    query: Annotated[
        str, typer.Option(help="Of a search that the list answers; else it follows a click.")
    ] = "",
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"],
            help="Event time of the list, UTC; that of the user's newest event if left out.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, as one object.")] = False,
) -> None:
    """Show the values that a ranking for USER would use, out of a running worker's tables.

    With ITEM also the item's, how it stands in its category, the ids of what its catalogue entry
    says, its place among the candidates of the list, and the vector that the ranker sees of it: a
    list is ranked as a worker does.
    HEADRACE_MODEL says by which model. Rows are as they are now; --at only lets them age. Exits
    with 1 for a user or an item that the workers never heard of.

    Examples:

      headrace features explain retail-17850

      headrace features explain retail-17850 retail-85123A

      headrace features explain retail-17850 retail-85123A --query "heart holder" --json
    """
    from streams.commands import explain_table
    from streams.explain import explain_item, explain_user

    if query and item is None:
        raise typer.BadParameter("--query says what list ITEM is looked for in: name an ITEM too")
    at_ms = None if at is None else int(at.replace(tzinfo=UTC).timestamp() * 1000)
    settings = Settings()
    if item is None:
        found = explain_user(settings, user, at_ms)
    else:
        found = explain_item(settings, user, item, at_ms, query)
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        explain_table.show(found)


@app.command()
def profile(
    path: Annotated[
        Path | None,
        typer.Argument(
            help="A folder with a protocol.json, or one file of JSON Lines, plain or .xz.",
            metavar="DIR",
        ),
    ] = None,
    *,
    shop: Annotated[
        ShopName | None, typer.Option(help="A shop that comes with Headrace, instead.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="The topics of a running system, instead.")
    ] = False,
    records: Annotated[
        int, typer.Option(help="With --live: newest records to read.", min=1_000, max=1_000_000)
    ] = 100_000,
    report: Annotated[
        Path | None,
        typer.Option(help="Write a page with plots, too: one file that needs no network."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, as one object.")] = False,
) -> None:
    """Report on data: what is invalid, missing, doubled or late, and how values are spread.

    DIR is read whole, within fixed memory: beyond 200,000 users or 500,000 distinct ids a uniform
    sample is followed, and the report says what is estimated. --live looks at what the topics hold
    now, from the newest record back.

    Examples:

      headrace features profile data/myshop --report myshop.html

      headrace features profile --shop online_retail

      headrace features profile --live --records 200000 --json
    """
    from streams.commands import quality_table
    from streams.quality.reading import parts_of, parts_of_shop, profile_files

    if (path is not None) + (shop is not None) + live != 1:
        raise typer.BadParameter("name a DIR, or a --shop, or --live: one of them")
    if live:
        from streams.quality.live import profile_live

        with counting("records") as read:
            found = profile_live(Settings(), records, read)
    else:
        with counting("lines") as read:
            if path is not None:
                found = profile_files(path.name, parts_of(path), read)
            else:
                known = next(one for one in shops() if one.name == shop)
                found = profile_files(known.name, parts_of_shop(known), read)
    if report is not None:
        from streams.quality.report import page

        write_page(report, page(found))
    if as_json:
        typer.echo(msgspec.json.encode(found))
    else:
        quality_table.show(found)
