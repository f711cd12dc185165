"""A data set in a folder: `protocol.json` says how it is scored, JSON Lines files hold it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from features.events import Event, Item, Search
from streams.data.lines import BadData, read_lines

Kind = Literal["next-item", "prequential", "search-click"]
_Count = Annotated[int, msgspec.Meta(ge=1)]

EVENTS = msgspec.json.Decoder(Event)
ITEMS = msgspec.json.Decoder(Item)


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
    """How a data set is scored: the fields of its `protocol.json`, others are ignored.

    - next-item: learn `train`, freeze, then rank for each event of each user of `test` from the
      user's second on; `predictions` is how many rankings that must give.
    - prequential: walk `events`; rank, score and then learn each one from `score_from` on. With
      `leave_out_owned` no list shows what its user already has.
    - search-click: walk `events`; rank for the searches numbered `score_searches`, score against
      the click that names the search, learn all.

    Events and searches are numbered from 1. What others have `published` is for reports alone (see
    `streams.figures.published`).
    """

    name: str
    kind: Kind
    k: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)] = (20,)
    events: str | None = None
    train: str | None = None
    test: str | None = None
    catalog: str | None = None
    total: _Count | None = None
    score_from: _Count | None = None
    leave_out_owned: bool | None = None
    score_searches: tuple[_Count, _Count] | None = None
    predictions: _Count | None = None
    published: tuple[dict[str, str | float], ...] = ()
    licence: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A folder that was found to have every file its protocol needs."""

    path: Path
    protocol: Protocol

    def events(self) -> Iterator[Event]:
        """Yield the events of a prequential or search-click set, in time order."""
        return self._read(self.protocol.events)

    def train(self) -> Iterator[Event]:
        """Yield what a next-item set teaches, in time order."""
        return self._read(self.protocol.train)

    def test(self) -> Iterator[Event]:
        """Yield what a next-item set asks, user after user."""
        return self._read(self.protocol.test)

    def items(self) -> Iterator[Item]:
        """Yield the catalogue; nothing where the set has none."""
        name = self.protocol.catalog
        return iter(()) if name is None else read_lines(self.path / name, ITEMS)

    def first_scored(self) -> int:
        """Return the number of the first event to score: given, or the first after 20 % of all.

        A set that says neither `score_from` nor `total` is counted, by reading it once.
        """
        if self.protocol.score_from is not None:
            return self.protocol.score_from
        total = self.protocol.total
        return (sum(1 for _ in self.events()) if total is None else total) // 5 + 1

    def leaves_out_owned(self) -> bool:
        """Say whether lists leave out the items that their user has.

        Given, or found out: they do where nobody came back to an item before scoring starts, as
        with ratings, which are given once.
        """
        if self.protocol.leave_out_owned is not None or self.protocol.kind != "prequential":
            return bool(self.protocol.leave_out_owned)
        had: set[tuple[str, str]] = set()
        for event in islice(self.events(), self.first_scored() - 1):
            if not isinstance(event, Search):
                pair = (event.user_id, event.item_id)
                if pair in had:
                    return False
                had.add(pair)
        return bool(had)

    def _read(self, name: str | None) -> Iterator[Event]:
        if name is None:
            raise BadData(f"{self.path}: a {self.protocol.kind} set has no such file")
        return read_lines(self.path / name, EVENTS)


def read_folder(path: Path) -> DataSet:
    """Open a folder; its files are checked to exist, not yet read.

    Without a `protocol.json` a folder with `events.jsonl` is scored event by event; `items.jsonl`,
    where it is there, is its catalogue. Both may be packed: `.jsonl.xz`.

    Raises:
        BadData: there are no events, or the protocol is not valid or names a file that is not
            there.
    """
    source = path / "protocol.json"
    try:
        protocol = msgspec.json.decode(source.read_bytes(), type=Protocol)
    except FileNotFoundError:
        return DataSet(path, _plain(path))
    except (OSError, ValueError) as error:
        raise BadData(f"{source}: {error}") from error
    for field in _needed(protocol):
        if getattr(protocol, field) is None:
            raise BadData(f"{source}: a {protocol.kind} set needs `{field}`")
    for name in (protocol.events, protocol.train, protocol.test, protocol.catalog):
        if name is not None and not (path / name).is_file():
            raise BadData(f"{source} names {name!r}, which is not in {path}")
    return DataSet(path, protocol)


def _plain(path: Path) -> Protocol:
    events, items = _found(path, "events"), _found(path, "items")
    if events is None:
        raise BadData(
            f"{path} has neither protocol.json nor events.jsonl (or events.jsonl.xz): put the "
            "events there, one JSON object a line, in time order"
        )
    return Protocol(name=path.resolve().name, kind="prequential", events=events, catalog=items)


def _found(path: Path, kind: str) -> str | None:
    names = (f"{kind}.jsonl", f"{kind}.jsonl.xz")
    return next((name for name in names if (path / name).is_file()), None)


def _needed(protocol: Protocol) -> tuple[str, ...]:
    match protocol.kind:
        case "next-item":
            return ("train", "test")
        case "prequential":
            return ("events",)
        case "search-click":
            return ("events", "score_searches")
