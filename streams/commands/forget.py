"""`headrace forget`: have all that is known of a user deleted."""

from typing import Annotated

import typer

from streams.codec import BadEvent
from streams.commands.terminal import tell
from streams.settings import Settings

_REMAINS = "their raw events stay in Kafka until its retention ends: see docs/privacy.md"


def forget(
    users: Annotated[list[str], typer.Argument(help="Ids of users.", metavar="USER")],
    *,
    wait: Annotated[
        bool, typer.Option("--wait", help="Return once the workers have done it.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(help="Seconds to wait at most, with --wait.", min=0)
    ] = 60.0,
) -> None:
    """Have the workers delete all that they know of each USER: row, factors and lists.

    The request is kept by Kafka, so a worker that is down does it when it is back. What a user does
    later starts from nothing, or is not stored at all: HEADRACE_FORGOTTEN says which.

    Exits with 1 if Kafka did not confirm the requests or, with --wait, if some user was not
    forgotten in time.

    Examples:

      headrace forget ann

      headrace forget --wait ann bob

      xargs headrace forget --wait < requests.txt
    """
    from streams.forgetting import Forgetting

    try:
        requests = Forgetting(Settings(), users)
    except BadEvent as error:
        raise typer.BadParameter(str(error)) from error
    with requests as forgetting:
        forgetting.ask()
        late = forgetting.wait(timeout) if wait else []
    said = "forgotten" if wait else "asked to forget"
    for user_id in dict.fromkeys(users):
        if user_id not in late:
            typer.echo(f"{said}: {user_id}")
    if late:
        tell(
            f"not confirmed within {timeout:g} s: {', '.join(late)}; the request is kept: it is "
            "done when a worker reads it. Does one run, and does it keep up?"
        )
        raise typer.Exit(1)
    tell(_REMAINS)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(forget)
