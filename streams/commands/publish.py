"""`headrace publish`: a file of events and items, into Kafka."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from features.events import Event, Item
from streams.codec import BadEvent, decode_line
from streams.commands.terminal import counting, tell
from streams.data import raw_lines
from streams.settings import Settings

Kind = Literal["click", "search", "purchase", "item"]


class Lines:
    """Events and items out of JSON Lines; lines that are neither are counted and told.

    Args:
        kind: what a line is that has no `type` of its own.
    """

    def __init__(self, kind: Kind | None) -> None:
        self._kind = kind
        self.bad = 0

    def read(self, lines: Iterable[bytes]) -> Iterator[tuple[int, Event | Item]]:
        """Yield what each good line holds, with its number."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                yield number, decode_line(self._typed(line))
            except BadEvent as error:
                self.refuse(number, error)

    def refuse(self, number: int, error: BadEvent) -> None:
        """Count a bad line and say on stderr which one it is and what is wrong with it."""
        self.bad += 1
        tell(f"line {number}: {error.reason}: {error}")

    def _typed(self, line: bytes) -> bytes:
        """Give a line its `type` where it has none; what is no map is left for the decoder."""
        if self._kind is None:
            return line
        try:
            fields = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (ValueError, RecursionError):
            return line
        return msgspec.json.encode({"type": self._kind, **fields})


def publish(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON Lines of events and items, plain or .xz; - reads standard input.",
            metavar="FILE",
        ),
    ],
    kind: Annotated[
        Kind | None, typer.Option("--as", help="What a line is that has no `type`.")
    ] = None,
) -> None:
    """Send the events and items of FILE to Kafka.

    A line that is not valid is told on stderr, with its number, and the others are sent. Exits
    with 1 if there was any, or if Kafka did not confirm all.

    Examples:

      headrace publish events.jsonl.xz

      headrace publish --as item catalogue.jsonl

      echo '{"type":"click","event_id":"e1","user_id":"ann","item_id":"mug","ts":1}' |
      headrace publish -
    """
    from streams.producer import EventProducer

    lines = Lines(kind)
    source = sys.stdin.buffer if file == Path("-") else raw_lines(file)
    with EventProducer(Settings()) as producer, counting("sent") as sent:
        for number, event in lines.read(source):
            try:
                producer.send(event)
            except BadEvent as error:
                lines.refuse(number, error)
            else:
                sent()
    if lines.bad:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(publish)
