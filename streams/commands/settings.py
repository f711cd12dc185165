"""`headrace settings`: what is in force, and what there is to set."""

from typing import Annotated

import typer

from streams import settings_page
from streams.settings import Settings


def settings(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/settings.md, the page of all settings.")
    ] = False,
) -> None:
    """Show every setting with the value that holds here and now; secrets are masked.

    Examples:

      headrace settings

      headrace settings --markdown > docs/settings.md
    """
    if markdown:
        typer.echo(settings_page.markdown(), nl=False)
        return
    for name, value in settings_page.in_force(Settings()):
        typer.echo(f"{name}={value}")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(settings)
