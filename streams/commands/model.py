"""`headrace model`: hand a trained model to all workers, or see which one they have."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.commands.terminal import tell
from streams.settings import Settings

app = typer.Typer(
    help="Publish a model to running workers; show which one is published.", no_args_is_help=True
)


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(help="As `headrace train` writes it.", metavar="FILE")],
) -> None:
    """Hand a model to all workers: those that run swap it in, those that start begin with it.

    It travels in parts through the topic `models`. Workers check that it is whole and for their
    features, and go on with the one before where it is not. What they learnt from their users since
    the last one ends with it. To go back, publish the older file again.

    Exits with 1 if the file is not for this version, or Kafka did not confirm all of it.

    Examples:

      headrace model publish .headrace/model.safetensors
    """
    publish_file(Settings(), file)


@app.command()
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As one object.")] = False,
) -> None:
    """Show the model that a worker of this version takes from the topic, and what it refuses.

    Exits with 1 where there is none to take.

    Examples:

      headrace model show

      headrace model show --json
    """
    from streams.publishing import published

    found = published(Settings())
    for refusal in found.refusals:
        tell(f"refused ({refusal.reason}): {refusal}")
    if found.manifest is None:
        tell("no model is published that a worker of this version would take")
        raise typer.Exit(1)
    if as_json:
        typer.echo(msgspec.json.encode(found.manifest))
        return
    told = found.manifest
    at = datetime.fromtimestamp(told.published_at / 1000, UTC)
    typer.echo(
        f"{told.version}, published {at:%Y-%m-%d %H:%M:%S} UTC as {told.model_id}: "
        f"{told.count} parts, {told.size_bytes:,} bytes, sha256 {told.sha256}"
    )


def publish_file(settings: Settings, file: Path) -> None:
    """Publish a model's file, and say so."""
    from streams.publishing import publish as send

    told = send(settings, file)
    typer.echo(f"published {told.version} as {told.model_id}: {told.count} parts")
