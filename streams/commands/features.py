"""`headrace features`: what is known of users and items, what a ranking uses, and how data is."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streams import features_page

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
    """List every feature: of the user row, of the item row, and of the ranker's vector.

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
