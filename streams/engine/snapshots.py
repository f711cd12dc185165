"""A copy of all tables of a worker, taken while it runs, and put where a worker will start.

Each partition is copied as of one moment, together with the changelog offset that its rows contain.
Partitions need not be of the same moment: whoever starts on the copy reads each changelog from that
offset on, as after any stop.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import DecodeError, Struct, json

from streams.engine.batch import PartitionRevoked
from streams.engine.rocks import StoreError, StoreForeign
from streams.engine.store import Store

FORMAT = 1
MANIFEST = "backup.json"
_TABLES = "tables"
_RESTORING = "tables.restoring"


class Part(Struct, frozen=True):
    """One partition in a backup.

    Attributes:
        table: Its name.
        changelog: Topic that its rows come from.
        partition: Number in that topic.
        offset: Last changelog offset that the rows contain; None where they contain none.
    """

    table: str
    changelog: str
    partition: int
    offset: int | None

    @property
    def folder(self) -> str:
        """Name of its directory, in a backup as in a worker's tables."""
        return f"{self.table}-{self.partition}.db"


class Manifest(Struct, frozen=True):
    """What a backup holds; written last, so a folder without it is no backup.

    Attributes:
        format: Of backups.
        made_at: Wall clock, ms.
        parts: Its partitions.
    """

    format: int
    made_at: int
    parts: list[Part]


_MANIFESTS: Final = json.Decoder(Manifest)


def tables_of(data_dir: Path) -> Path:
    """Return where a worker with this data directory keeps its tables."""
    return data_dir / "v1" / _TABLES


async def take(stores: Iterable[Store], folder: Path, scratch: Path, now_ms: int) -> Manifest:
    """Copy every partition that is open, active or standby, while its worker goes on.

    Rows are frozen in `scratch` by links, which takes a moment, and copied from there by a thread.
    The copy shares no file with the tables.

    Args:
        stores: Whose partitions.
        folder: Where to; it is made, or is there and empty.
        scratch: A directory on the disk of the tables; it is emptied before and after.
        now_ms: Wall clock.

    Raises:
        StoreError: there is something at `folder`, no partition is open, or one was revoked.
        OSError: it cannot be written; what was written is removed.
    """
    _refuse_what_is_there(folder)
    await asyncio.to_thread(_empty, scratch)
    try:
        parts = await _freeze(stores, scratch)
        if not parts:
            raise StoreError(
                errno.ENODATA, "this worker holds no partition: nothing to back up", str(folder)
            )
        manifest = Manifest(FORMAT, now_ms, parts)
        await asyncio.to_thread(_copy_out, scratch, folder, manifest)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    return manifest


def restore(folder: Path, data_dir: Path, changelogs: Mapping[str, str]) -> Manifest:
    """Copy a backup to where a worker will start; all of it or nothing.

    Args:
        folder: The backup.
        data_dir: Of a worker that does not run.
        changelogs: Table -> changelog topic of the worker.

    Raises:
        StoreForeign: the folder is no backup, or one of other tables.
        StoreError: the data directory has tables already.
    """
    manifest = read(folder)
    for part in manifest.parts:
        if changelogs.get(part.table) != part.changelog:
            raise StoreForeign(
                errno.EINVAL,
                f"holds table {part.table!r} of topic {part.changelog!r}; this worker's is "
                f"{changelogs.get(part.table)!r}: set the topic prefix that the backup was made "
                "under, or take another backup",
                str(folder),
            )
    target = tables_of(data_dir)
    _refuse_what_is_there(target)
    waiting = target.with_name(_RESTORING)
    shutil.rmtree(waiting, ignore_errors=True)  # of a restore that was interrupted
    for part in manifest.parts:
        shutil.copytree(folder / part.folder, waiting / part.folder)
    os.sync()
    if target.is_dir():
        target.rmdir()
    waiting.rename(target)
    return manifest


def read(folder: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        StoreForeign: it is none, or parts of it are missing.
    """
    try:
        manifest = _MANIFESTS.decode((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise StoreForeign(
            errno.ENOENT, f"no backup: it has no {MANIFEST}, which is written last", str(folder)
        ) from None
    except DecodeError as error:
        raise StoreForeign(errno.EINVAL, f"no backup that we know: {error}", str(folder)) from error
    if manifest.format != FORMAT:
        raise StoreForeign(
            errno.EINVAL, f"has format {manifest.format}, this program reads {FORMAT}", str(folder)
        )
    missing = [part.folder for part in manifest.parts if not (folder / part.folder).is_dir()]
    if missing:
        raise StoreForeign(errno.ENOENT, f"lacks {', '.join(missing)}", str(folder))
    return manifest


async def _freeze(stores: Iterable[Store], scratch: Path) -> list[Part]:
    parts = []
    for store in stores:
        for partition in store.held:
            try:
                rocks = store.partition(partition)
            except PartitionRevoked as error:
                raise StoreError(
                    errno.EAGAIN, f"{error}: partitions moved meanwhile, try again", str(scratch)
                ) from error
            part = Part(store.table_name, store.changelog, partition, rocks.offset())
            rocks.checkpoint(scratch / part.folder)
            parts.append(part)
            await asyncio.sleep(0)
    return parts


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _copy_out(scratch: Path, folder: Path, manifest: Manifest) -> None:
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for part in manifest.parts:
            shutil.copytree(scratch / part.folder, folder / part.folder)
        os.sync()
        (folder / MANIFEST).write_bytes(json.format(json.encode(manifest)) + b"\n")
        os.sync()
    except BaseException:
        for part in manifest.parts:
            shutil.rmtree(folder / part.folder, ignore_errors=True)
        (folder / MANIFEST).unlink(missing_ok=True)
        if made:
            folder.rmdir()
        raise


def _refuse_what_is_there(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(
            errno.EEXIST,
            "something is there already: nothing was changed; name another folder, or move it away",
            str(folder),
        )
