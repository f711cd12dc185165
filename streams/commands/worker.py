"""`headrace worker`: run one worker until it is told to stop."""

import typer

from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker() -> None:
    """Run a worker: learn from events, keep the tables, and send recommendations.

    Settings come from HEADRACE_* (see `headrace settings`). Run as many workers as there are
    partitions at most; each needs a HEADRACE_DATA_DIR of its own. SIGTERM stops it cleanly.

    Examples:

      headrace worker

      HEADRACE_BROKER=kafka-1:9092 HEADRACE_DATA_DIR=/var/lib/headrace headrace worker
    """
    from streams.worker import run

    raise typer.Exit(run(Settings()))
