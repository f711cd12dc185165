"""`headrace state`: what the workers know of a user or an item; backups of what they know."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from features.item import decode_item
from features.profile import decode_profile
from streams.commands.terminal import tell
from streams.portrait import Portrait, portray_item, portray_user
from streams.settings import Settings

_SHOWN = 10  # entries of a list that are shown to a person

app = typer.Typer(help="Show what the workers know; back it up and restore it.")


@app.command()
def show(
    *,
    user: Annotated[str | None, typer.Argument(help="Id of a user.", metavar="[USER]")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Id of an item, instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, as one object.")] = False,
) -> None:
    """Show what the workers know of a USER or an item, decoded from their tables' changelog.

    Exits with 1 for one that they never heard of.

    Examples:

      headrace state show retail-17850

      headrace state show --item retail-85123A --json
    """
    if user is not None and item is None:
        who, portrait = f"user {user!r}", _user(user)
    elif item is not None and user is None:
        who, portrait = f"item {item!r}", _item(item)
    else:
        raise typer.BadParameter("name either a USER or an --item")
    if portrait is None:
        tell(f"nothing is known of {who}")
        raise typer.Exit(1)
    if as_json:
        typer.echo(msgspec.json.encode(portrait))
    else:
        _show(portrait)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is new or empty.", metavar="DIR")],
) -> None:
    """Copy the tables of the running worker to DIR, while it goes on.

    HEADRACE_DATA_DIR says which worker: run it on the same machine, as the same user. Back up
    every worker: each holds its own partitions. The worker writes the copy, so DIR is a path as
    the worker sees it.

    Examples:

      headrace state backup /mnt/backup/worker-1-monday
    """
    from streams.control import ask_for_backup

    made = ask_for_backup(Settings().data_dir, folder)
    typer.echo(f"{len(made.parts)} partitions backed up to {folder}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A backup.", metavar="DIR")],
) -> None:
    """Copy the backup in DIR to HEADRACE_DATA_DIR, which must have no tables, and no worker.

    Then start the worker: it reads what has changed since from the changelog topics. Nothing that
    is there is overwritten.

    Examples:

      HEADRACE_DATA_DIR=/var/lib/headrace headrace state restore /mnt/backup/worker-1-monday
    """
    from streams.control import ControlFailed, answers
    from streams.engine import snapshots

    settings = Settings()
    if answers(settings.data_dir):
        raise ControlFailed(f"a worker runs in {settings.data_dir}: stop it first")
    topics = settings.topics
    changelogs = {"users": topics.user_state, "items": topics.item_state}
    done = snapshots.restore(folder, settings.data_dir, changelogs)
    typer.echo(f"{len(done.parts)} partitions restored to {settings.data_dir}")


def _user(user_id: str) -> Portrait | None:
    from streams.changelog import newest_value

    settings = Settings()
    value = newest_value(settings, settings.topics.user_state, user_id)
    return None if value is None else portray_user(user_id, decode_profile(value))


def _item(item_id: str) -> Portrait | None:
    from streams.changelog import newest_value

    settings = Settings()
    value = newest_value(settings, settings.topics.item_state, item_id)
    return None if value is None else portray_item(item_id, decode_item(value))


def _show(portrait: Portrait) -> None:
    """Print a field a row; maps and lists get a line an entry."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in portrait.items():
        table.add_row(name, "\n".join(_lines(value)))
    Console(markup=False, highlight=False, soft_wrap=True).print(table)


def _lines(value: object) -> list[str]:
    if isinstance(value, list):
        more = [f"and {len(value) - _SHOWN} more"] if len(value) > _SHOWN else []
        return [_text(entry) for entry in value[:_SHOWN]] + more or ["-"]
    if isinstance(value, dict):
        entries = [f"{name}: {_text(entry)}" for name, entry in list(value.items())[:_SHOWN]]
        more = [f"and {len(value) - _SHOWN} more"] if len(value) > _SHOWN else []
        return entries + more or ["-"]
    return [_text(value)]


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(entry)}" for name, entry in value.items())
    return str(value)
