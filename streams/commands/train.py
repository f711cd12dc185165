"""`headrace train`: the ranker's first weights, from files."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams import garbage
from streams.commands.model import publish_file
from streams.commands.terminal import counting, tell
from streams.settings import Settings
from streams.settings_domains import domains_of


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(train)


def train(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders with a protocol.json; the two shipped shops if left out."),
    ] = None,
    *,
    from_files: Annotated[
        bool, typer.Option("--from-files", help="Learn from recorded logs, each from its start.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where to write the model.")] = Path(
        ".headrace/model.safetensors"
    ),
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Leave out what is later, UTC.")
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="Only the newest events of each log.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Also publish it (`headrace model publish`)."),
    ] = False,
) -> None:
    """Train the linear ranker and the attention model, and write them to one file.

    The same command gives the same weights. Workers use what was published last, else the file
    named by HEADRACE_MODEL.

    Examples:

      headrace train --from-files

      headrace train --from-files data/myshop --until 2024-06-01 --out model.safetensors

      headrace train --from-files data/myshop --publish
    """
    from streams.logs import read_logs
    from streams.models import write_model
    from streams.train import train as learn

    if not from_files:
        raise typer.BadParameter("say --from-files: recorded logs are all there is to learn from")
    until_ts = None if until is None else int(until.replace(tzinfo=UTC).timestamp() * 1000)
    settings = Settings()
    domains = domains_of(settings.domains)
    items, events = read_logs(folders or [], until_ts=until_ts, last=last)
    garbage.calm()
    with counting("lists") as ranked:
        model = learn(items, events, seed=seed, domains=domains, progress=ranked)
    write_model(out, model)
    tell(f"{model.version}: {len(events):,} events, {len(items):,} items -> {out}")
    if publish:
        publish_file(settings, out)
