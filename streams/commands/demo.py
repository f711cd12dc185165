"""`headrace demo`: the whole system on this machine, in a minute or two."""

import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

HOME = Path(".headrace/demo")
PLAIN_COLUMNS = 120


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    events: Annotated[
        int, typer.Option(help="Real events to replay before the live part.", min=1_000)
    ] = 120_000,
    home: Annotated[
        Path, typer.Option(help="Keeps the trained model, and the worker's log.")
    ] = HOME,
    serve: Annotated[
        bool, typer.Option("--serve", help="Then open the shop in a gateway, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="Of that gateway.", min=1, max=65_535)] = 8080,
) -> None:
    """Replay two real shops through a real Kafka and show what is recommended to whom, and why.

    Starts a Kafka and a worker of its own and stops them. Nothing else is touched.

    With --serve you can join the real customers afterwards: in a small shop in your browser, where
    the list for you changes with whatever you do, while simulated shoppers go on.

    Examples:

      headrace demo

      headrace demo --serve

      headrace demo --events 20000
    """
    from streams.demo import run
    from streams.demo.show import Stage

    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks our marks shows "?"
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_COLUMNS)

    run(Stage(console), events, home, port if serve else None)
