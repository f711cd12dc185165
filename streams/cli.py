"""`headrace ...`: results to stdout, errors to stderr, exit 0 (done), 1 (failed) or 2 (misused)."""

import sys
from importlib import metadata
from typing import Annotated

import typer

from streams.commands import (
    broker,
    demo,
    evaluate,
    features,
    follow,
    forget,
    gateway,
    model,
    publish,
    report,
    settings,
    simulate,
    state,
    topics,
    train,
    worker,
)
from streams.settings import BadSetting

app = typer.Typer(
    name="headrace",
    help="Real-time recommendations out of a shop's Kafka event stream.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(broker.app, name="broker")
app.add_typer(topics.app, name="topics")
app.add_typer(state.app, name="state")
app.add_typer(features.app, name="features")
app.add_typer(model.app, name="model")
for command in (
    worker,
    gateway,
    publish,
    follow,
    forget,
    simulate,
    train,
    evaluate,
    report,
    demo,
    settings,
):
    command.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(metadata.version("headrace"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Real-time recommendations out of a shop's Kafka event stream."""


def main() -> None:
    """Run the command line; known errors become one line on stderr and an exit code."""
    try:
        app()
    except BadSetting as error:
        typer.echo(f"headrace: {error}", err=True)
        sys.exit(2)
    except (OSError, LookupError, ValueError, RuntimeError) as error:
        typer.echo(f"headrace: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
