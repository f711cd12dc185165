"""`headrace worker`: run one worker until it is told to stop."""

from typing import Annotated

import typer

from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    *,
    attached: Annotated[
        bool,
        typer.Option("--attached", help="Stop when standard input ends, as when a parent dies."),
    ] = False,
) -> None:
    """Run a worker: learn from events, keep the tables, and send recommendations.

    Settings come from HEADRACE_* (see `headrace settings`). Run as many workers as there are
    partitions at most; each needs a HEADRACE_DATA_DIR of its own. SIGTERM stops it cleanly.

    Examples:

      headrace worker

      HEADRACE_BROKER=kafka-1:9092 HEADRACE_DATA_DIR=/var/lib/headrace headrace worker
    """
    from streams.allocator import give_memory_back

    give_memory_back()  # before the large libraries allocate
    from streams.worker import run

    raise typer.Exit(run(Settings(), attached=attached))
