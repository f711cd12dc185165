"""Numbered copies of one partition's database, beside the tables."""

import errno
import shutil
from pathlib import Path

from streams.engine.rocks import Rocks, StoreError


def ids(folder: Path) -> list[int]:
    """Return the numbers of the backups in a folder, oldest first."""
    return sorted(int(path.name) for path in folder.glob("[0-9]*")) if folder.is_dir() else []


def make(rocks: Rocks, folder: Path) -> int:
    """Add a backup of an open database, consistent while it is written to; return its number."""
    folder.mkdir(parents=True, exist_ok=True)
    number = max(ids(folder), default=0) + 1
    rocks.checkpoint(folder / str(number))
    return number


def purge(folder: Path, keep: int) -> None:
    """Delete all backups but the newest `keep`, at least 1."""
    if keep < 1:
        raise ValueError(f"keep is {keep}: purging must leave at least one backup")
    for number in ids(folder)[:-keep]:
        shutil.rmtree(folder / str(number))


def restore(folder: Path, number: int | None, path: Path) -> None:
    """Copy a backup, the newest by default, to where a partition lives.

    The changelog brings it up to date when a worker opens it.

    Raises:
        StoreError: there is no such backup, or there is something at `path`.
    """
    found = ids(folder)
    chosen = number if number is not None else max(found, default=0)
    if chosen not in found:
        raise StoreError(errno.ENOENT, f"no backup {chosen}, there are {found}", str(folder))
    if path.exists():
        raise StoreError(
            errno.EEXIST, "is there: stop the worker and move it away first", str(path)
        )
    shutil.copytree(folder / str(chosen), path)
