"""What is measured: a folder, a file, or one of the shops that are shipped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from features.events import Item
from streams.codec import BadEvent, decode_line
from streams.data import BadData, Shop, raw_lines, read_folder
from streams.data.lines import LineKind, typed
from streams.quality.measure import Measure
from streams.quality.result import Quality


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a data set, and what a line of it is that has no `type`."""

    path: Path
    kind: LineKind | None = None


def parts_of(path: Path) -> list[Part]:
    """Return the files of a data set: catalogue first, then events in time order.

    Args:
        path: A folder with a `protocol.json`, or one file of JSON Lines, plain or `.xz`.

    Raises:
        BadData: there is no such path, or the folder is no data set.
    """
    if path.is_dir():
        protocol = read_folder(path).protocol
        parts = [] if protocol.catalog is None else [Part(path / protocol.catalog, "item")]
        names = (protocol.events, protocol.train, protocol.test)
        return parts + [Part(path / name) for name in names if name is not None]
    if not path.is_file():
        raise BadData(f"{path}: no such folder or file; name one, or a shop by --shop")
    return [Part(path)]


def parts_of_shop(shop: Shop) -> list[Part]:
    """Return the files of a shop that is shipped."""
    return [Part(shop.items_path, "item"), Part(shop.events_path)]


def profile_files(source: str, parts: list[Part], counted: Callable[[], None]) -> Quality:
    """Read every line of some files; one that is not valid is counted by its reason.

    Args:
        source: For the heading.
        parts: The files.
        counted: Called for each line.

    Raises:
        BadData: a file is missing or cut short, or there is no line at all.
    """
    measure, lines = Measure(), 0
    for part in parts:
        for number, line in _lines(part.path):
            lines += 1
            counted()
            try:
                value = decode_line(typed(line, part.kind))
            except BadEvent as error:
                measure.refused(error.reason, f"{part.path.name}, line {number}: {error}")
                continue
            if isinstance(value, Item):
                measure.item(value)
            else:
                measure.event(value, part.path.name)
    if not lines:
        raise BadData(f"{source}: no line in it; events are JSON Lines, one a line")
    return measure.quality(source)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(raw_lines(path), start=1):
        if line.strip():
            yield number, line
