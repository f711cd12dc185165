"""`headrace simulate`: shoppers that search, click and buy on a real catalogue."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Annotated, Literal

import msgspec
import typer

from features.events import Event
from streams.clock import now_ms
from streams.commands.terminal import counting
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL
from streams.settings import Settings
from streams.simulate import simulate as simulated

ShopName = Literal["online_retail", "eshop_clothing"]

_SHOPS = {shop.name: shop for shop in (ONLINE_RETAIL, ESHOP_CLOTHING)}
_FLUSH_EVERY_S = 1.0


def simulate(
    *,
    shop: Annotated[ShopName, typer.Option(help="Whose catalogue they look at.")] = "online_retail",
    events: Annotated[
        int | None, typer.Option(help="Stop after so many events; else at Ctrl-C.", min=1)
    ] = None,
    rate: Annotated[float, typer.Option(help="Events a second.", min=0.001)] = 20.0,
    shoppers: Annotated[int, typer.Option(help="Different users.", min=1)] = 2_000,
    seed: Annotated[int, typer.Option(help="Equal seeds and starts give equal events.")] = 1,
    start: Annotated[
        int | None,
        typer.Option(help="Time of the first events, in ms since 1970 UTC; now if left out."),
    ] = None,
    catalogue: Annotated[
        bool, typer.Option(help="Publish the shop's items first, as workers need them.")
    ] = True,
    heed: Annotated[
        bool,
        typer.Option(help="Shoppers also click what they are recommended; not repeatable then."),
    ] = False,
    to_stdout: Annotated[
        bool, typer.Option("--print", help="Write JSON Lines to stdout, and nothing to Kafka.")
    ] = False,
) -> None:
    """Publish events of simulated shoppers, each when its time has come.

    Their user ids start with `simulated-`: they try out an installation and prove nothing about the
    quality of its lists. A start in the past is caught up with at full speed.

    Examples:

      headrace simulate --rate 50

      headrace simulate --print --events 1000 --start 0 > events.jsonl
    """
    from streams.consumer import RecommendationConsumer
    from streams.producer import EventProducer

    items = list(_SHOPS[shop].items())
    shown: dict[str, list[str]] = {}
    stream = simulated(
        items,
        seed,
        shoppers=shoppers,
        start_ts=now_ms() if start is None else start,
        events_per_s=rate,
        shown=shown,
    )
    wanted = islice(stream, events)
    if to_stdout:
        _print(wanted)
        return
    settings = Settings()
    with ExitStack() as stack:
        producer = stack.enter_context(EventProducer(settings))
        lists = stack.enter_context(RecommendationConsumer(settings)) if heed else None
        if catalogue:
            producer.send_many(items)
            producer.flush()
        sent = stack.enter_context(counting("events"))
        flushed = time.monotonic()
        for event in wanted:
            _wait_until(event.ts)
            producer.send(event)
            sent()
            if time.monotonic() - flushed > _FLUSH_EVERY_S:
                producer.flush()  # what fails is known within seconds, not at the end
                for found in () if lists is None else lists.poll():
                    shown[found.user_id] = [item.item_id for item in found.items]
                flushed = time.monotonic()


def _wait_until(ts: int) -> None:
    """Let time pass until an event is due; none is sent ahead of its time."""
    if (ahead_ms := ts - now_ms()) > 0:
        time.sleep(ahead_ms / 1000)


def _print(events: Iterator[Event]) -> None:
    encoder = msgspec.json.Encoder()
    for event in events:
        sys.stdout.buffer.write(encoder.encode(event) + b"\n")
    sys.stdout.buffer.flush()


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(simulate)
