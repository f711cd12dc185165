"""`headrace state`: what the workers know of a user or an item."""

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


def state(
    *,
    user: Annotated[str | None, typer.Argument(help="Id of a user.", metavar="[USER]")] = None,
    item: Annotated[str | None, typer.Option("--item", help="Id of an item, instead.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All of it, as one object.")] = False,
) -> None:
    """Show what the workers know of a USER or an item, decoded from their tables' changelog.

    Exits with 1 for one that they never heard of.

    Examples:

      headrace state retail-17850

      headrace state --item retail-85123A --json
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


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(state)
