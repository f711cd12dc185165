"""Recorded logs to learn from: folders, or the shops that are shipped."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from features.events import Event, Item
from streams.data import BadData, read_folder, shops


def read_logs(
    folders: Sequence[Path], *, until_ts: int | None = None, last: int | None = None
) -> tuple[list[Item], list[Event]]:
    """Return catalogues and events, log after log.

    Args:
        folders: Data sets; none means the shipped shops.
        until_ts: Leave out events at or after this time, ms.
        last: Keep only so many of the newest events of each log.

    Raises:
        BadData: a folder is not a data set, or nothing is left to learn from.
    """
    items: list[Item] = []
    events: list[Event] = []
    for entries, log in _sources(folders):
        items += entries
        kept = [event for event in log if until_ts is None or event.ts < until_ts]
        events += kept if last is None else kept[-last:]
    if not events:
        raise BadData("no event is left to learn from: look at the folders, --until and --last")
    return items, events


def _sources(folders: Sequence[Path]) -> Iterable[tuple[Iterable[Item], Iterable[Event]]]:
    if not folders:
        for shop in shops():
            yield shop.items(), shop.events()
    for folder in folders:
        data = read_folder(folder)
        yield data.items(), data.train() if data.protocol.kind == "next-item" else data.events()
