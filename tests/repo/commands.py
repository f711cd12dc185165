"""Whether a `headrace ...` command line is one that `headrace` understands."""

from collections.abc import Sequence
from typing import Any

import typer
from typer.main import get_command


def parses(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Parse the arguments of a command; nothing is run.

    Raises:
        KeyError: there is no such command.
        click.UsageError: there is no such option, or a value is missing or not allowed.
    """
    command: Any = get_command(app)
    name, left = "headrace", list(arguments)
    while hasattr(command, "commands"):
        name, *left = left
        command = command.commands[name]
    command.make_context(name, left)
