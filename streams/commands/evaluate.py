"""`headrace evaluate`: how good are the lists, on a recorded log?"""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.terminal import counting, tell
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
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Predict, score, then learn each event of a log, as its protocol says.

    Without a protocol each event after the first fifth is ranked for before it is learnt.

    Examples:

      headrace evaluate data/serenade

      headrace evaluate data/online_retail --json > figures.json
    """
    from streams.evaluate import evaluate as walk

    data = read_folder(folder)
    with counting("events") as read:
        figures = walk(data, lambda _: read(), seed, domains_of(Settings().domains))
    if as_json:
        typer.echo(msgspec.json.encode({"data": data.protocol.name, "seed": seed} | figures))
        return
    tell(f"{data.protocol.name}, {data.protocol.kind}")
    width = max(map(len, figures))
    for name, value in figures.items():
        typer.echo(f"{name:<{width}}  {value if isinstance(value, str) else format(value, 'g')}")
