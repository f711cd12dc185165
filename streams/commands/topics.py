"""`headrace topics`: lay out the topics, or make sure that they are laid out right."""

import typer

from streams.settings import Settings

app = typer.Typer(
    help="Create and check the topics that Headrace reads and writes.", no_args_is_help=True
)


@app.command()
def create() -> None:
    """Create the topics that are missing; those that are there are checked, never altered.

    Examples:

      headrace topics create

      HEADRACE_PARTITIONS=32 HEADRACE_REPLICATION=3 headrace topics create
    """
    from streams import admin

    settings = Settings()
    created = admin.create(settings)
    for name in created:
        typer.echo(f"created {name}")
    there = len(settings.topic_specs) - len(created)
    typer.echo(f"{len(created)} created, {there} already there, at {settings.broker}")


@app.command()
def check() -> None:
    """Make sure that every topic is there, with the right partitions and cleanup policy.

    Examples:

      headrace topics check

      HEADRACE_TOPIC_PREFIX=shop1. headrace topics check
    """
    from streams import admin

    settings = Settings()
    admin.check(settings)
    typer.echo(f"{len(settings.topic_specs)} topics as they should be, at {settings.broker}")
