"""`headrace publish`: a file of events and items, into Kafka."""

import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from features.events import Event, Item
from streams.clock import now_ms
from streams.codec import BadEvent, decode_line
from streams.commands.terminal import counting, tell
from streams.data import raw_lines
from streams.data.lines import LineKind, typed
from streams.settings import Settings


class Lines:
    """Events and items out of JSON Lines; lines that are neither are counted and told.

    Args:
        kind: what a line is that has no `type` of its own.
        domains: names of those that a line may name.
    """

    def __init__(self, kind: LineKind | None, domains: Collection[str]) -> None:
        self._kind = kind
        self._domains = domains
        self.bad = 0

    def read(self, lines: Iterable[bytes]) -> Iterator[Event | Item]:
        """Yield what each good line holds; say of the others on stderr what is wrong."""
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                value = decode_line(typed(line, self._kind), now_ms(), domains=self._domains)
            except BadEvent as error:
                self.bad += 1
                tell(f"line {number}: {error.reason}: {error}")
            else:
                yield value


def publish(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON Lines of events and items, plain or .xz; - reads standard input.",
            metavar="FILE",
        ),
    ],
    kind: Annotated[
        LineKind | None, typer.Option("--as", help="What a line is that has no `type`.")
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
    from streams import bulk
    from streams.producer import EventProducer

    settings = Settings()
    lines = Lines(kind, settings.domains)
    with counting("sent") as sent:
        if file == Path("-"):  # perhaps a pipe that never ends: what comes is sent at once
            with EventProducer(settings) as producer:
                for event in lines.read(sys.stdin.buffer):
                    producer.send(event)
                    sent()
        else:
            bulk.publish(settings, lines.read(raw_lines(file)), sent=sent)
    if lines.bad:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(publish)
