"""`headrace follow`: the lists that workers publish, as they come."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streams.lists import Reason, Recommendation
from streams.settings import Settings

_REASONS = 2  # told for an item, the strongest first


def follow(
    *,
    user: Annotated[
        list[str] | None, typer.Option("--user", "-u", help="Only lists of this user; repeatable.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("-n", min=1, help="Stop after so many lists.")
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start at the oldest list kept.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    timeout: Annotated[
        float | None, typer.Option(help="Stop when no list came for so many seconds.", min=0)
    ] = None,
) -> None:
    """Show recommendations as the workers publish them, until Ctrl-C.

    A table on a terminal, one plain line a list elsewhere. With -n, exits with 1 when fewer came
    before the time-out.

    Examples:

      headrace follow --user ann

      headrace follow --json -n 100 --from-beginning > lists.jsonl
    """
    from streams.consumer import RecommendationConsumer

    console = Console()
    left = count
    with RecommendationConsumer(
        Settings(), users=user, from_beginning=from_beginning, timeout_s=timeout
    ) as lists:
        for found in lists:
            if as_json:
                typer.echo(msgspec.json.encode(found))
            elif console.is_terminal:
                console.print(table(found))
            else:
                typer.echo(line(found))
            if left is not None:
                left -= 1
                if left == 0:
                    return
    if left:
        raise typer.Exit(1)


def table(found: Recommendation) -> Table:
    """Lay out a list for a person: one row an item, with why it is there."""
    asked = f", asked for “{found.query}”" if found.query else ""
    shown = Table(
        title=f"{found.user_id}{asked}, {_clock(found.event_ts)}",
        caption=f"{found.surface}, {found.model_version}",
    )
    shown.add_column("#", justify="right")
    shown.add_column("item")
    shown.add_column("score", justify="right")
    shown.add_column("because")
    for item in found.items:
        reasons = sorted(item.reasons, key=lambda reason: -reason.weight)[:_REASONS]
        because = "; ".join(_because(reason) for reason in reasons)
        shown.add_row(str(item.rank), item.item_id, f"{item.score:.3f}", because)
    return shown


def line(found: Recommendation) -> str:
    """Put a list on one line: time, user, surface, then items with their scores, best first."""
    items = " ".join(f"{item.item_id}={item.score:.3f}" for item in found.items)
    return f"{_clock(found.event_ts)} {found.user_id} {found.surface} {items}"


def _because(reason: Reason) -> str:
    return " ".join(filter(None, (reason.kind, reason.item_id, reason.category)))


def _clock(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(follow)
