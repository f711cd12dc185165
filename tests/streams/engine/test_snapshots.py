"""A backup is whole or none, holds each partition as of one moment, and overwrites nothing."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from faust.types import TP

from streams import engine
from streams.engine import snapshots
from streams.engine.rocks import StoreError, StoreForeign
from streams.engine.store import Store
from tests.streams.engine.fakes import run

CHANGELOGS = {"counts": "counts-log", "totals": "totals-log"}
MEMORY = engine.Memory(cache_mb=8, write_buffer_mb=4)
NOW = 1_700_000_000_000


def open_stores(data_dir: Path, partitions: tuple[int, ...]) -> list[Store]:
    app = faust.App("x", broker="batch://nowhere", **engine.app_options(data_dir=data_dir))
    stores: list[Store] = [
        engine.table(app, name, changelog, MEMORY).data for name, changelog in CHANGELOGS.items()
    ]
    assert Path(app.conf.tabledir) == snapshots.tables_of(data_dir)
    for store in stores:
        for partition in partitions:
            store.persisted_offset(TP(store.changelog, partition))  # opens it
    return stores


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[list[Store]]:
    made = open_stores(tmp_path / "worker", (0, 3))
    yield made
    for store in made:
        store.close()


def fill(stores: list[Store], value: bytes, offset: int) -> None:
    for store in stores:
        for partition in store.held:
            store.write(partition, {b"k%d" % n: value for n in range(100)}, offset)


def content(stores: list[Store]) -> list[Any]:
    return [
        (store.table_name, partition, dict(store.partition(partition).scan(None, 1000)))
        for store in stores
        for partition in store.held
    ]


@run
async def test_a_backup_comes_back_as_it_was_while_the_tables_went_on(
    stores: list[Store], tmp_path: Path
) -> None:
    fill(stores, b"old", 7)
    before = content(stores)
    backup, scratch = tmp_path / "backup", tmp_path / "worker" / "scratch"
    made = await snapshots.take(stores, backup, scratch, NOW)
    assert not scratch.exists()
    fill(stores, b"new", 8)
    assert {(part.table, part.partition, part.offset) for part in made.parts} == {
        (name, partition, 7) for name in CHANGELOGS for partition in (0, 3)
    }
    shared = {path.stat().st_nlink for path in backup.rglob("*") if path.is_file()}
    assert shared == {1}  # the tables' files are theirs alone
    assert snapshots.restore(backup, tmp_path / "other", CHANGELOGS) == made
    restored = open_stores(tmp_path / "other", (0, 3))
    assert content(restored) == before
    assert restored[0].persisted_offset(TP(CHANGELOGS["counts"], 3)) == 7
    for store in restored:
        store.close()


@run
async def test_nothing_that_is_there_is_touched(stores: list[Store], tmp_path: Path) -> None:
    fill(stores, b"old", 7)
    backup = tmp_path / "backup"
    backup.mkdir()
    await snapshots.take(stores, backup, tmp_path / "scratch", NOW)  # empty is as good as none
    before = sorted(backup.rglob("*"))
    with pytest.raises(StoreError, match="something is there already"):
        await snapshots.take(stores, backup, tmp_path / "scratch", NOW)
    assert sorted(backup.rglob("*")) == before
    with pytest.raises(StoreError, match="something is there already"):
        snapshots.restore(backup, tmp_path / "worker", CHANGELOGS)
    assert content(stores)[0][2][b"k0"] == b"old"


@run
async def test_a_backup_that_fails_leaves_nothing(
    stores: list[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stores, b"old", 7)
    copies = 0
    copytree = shutil.copytree

    def full_disk(*args: Any, **kwargs: Any) -> Any:
        nonlocal copies
        copies += 1
        if copies == 3:
            raise OSError(28, "No space left on device")
        return copytree(*args, **kwargs)

    monkeypatch.setattr(shutil, "copytree", full_disk)
    for folder, made in ((tmp_path / "new", True), (tmp_path / "empty", False)):
        copies = 0
        if not made:
            folder.mkdir()
        with pytest.raises(OSError, match="No space left"):
            await snapshots.take(stores, folder, tmp_path / "scratch", NOW)
        assert not folder.exists() if made else not any(folder.iterdir())
        assert not (tmp_path / "scratch").exists()


@run
async def test_a_restore_that_was_interrupted_is_no_state_and_can_be_repeated(
    stores: list[Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(stores, b"old", 7)
    await snapshots.take(stores, tmp_path / "backup", tmp_path / "scratch", NOW)
    monkeypatch.setattr(os, "sync", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        snapshots.restore(tmp_path / "backup", tmp_path / "other", CHANGELOGS)
    assert not snapshots.tables_of(tmp_path / "other").exists()
    monkeypatch.undo()
    snapshots.restore(tmp_path / "backup", tmp_path / "other", CHANGELOGS)
    assert len(list(snapshots.tables_of(tmp_path / "other").iterdir())) == 4


def _interrupt() -> None:
    raise KeyboardInterrupt


@run
async def test_what_is_no_backup_or_not_ours_is_refused(
    stores: list[Store], tmp_path: Path
) -> None:
    fill(stores, b"old", 7)
    backup, other = tmp_path / "backup", tmp_path / "other"
    await snapshots.take(stores, backup, tmp_path / "scratch", NOW)
    with pytest.raises(StoreForeign, match="no backup"):
        snapshots.restore(tmp_path, other, CHANGELOGS)
    with pytest.raises(StoreForeign, match=r"'counts-log'; this worker's is 'elsewhere'"):
        snapshots.restore(backup, other, CHANGELOGS | {"counts": "elsewhere"})
    shutil.rmtree(backup / "counts-3.db")
    with pytest.raises(StoreForeign, match=r"lacks counts-3\.db"):
        snapshots.restore(backup, other, CHANGELOGS)
    (backup / "backup.json").write_text("{}")
    with pytest.raises(StoreForeign, match="no backup that we know"):
        snapshots.restore(backup, other, CHANGELOGS)
    assert not other.exists()


@run
async def test_a_worker_without_partitions_has_nothing_to_back_up(tmp_path: Path) -> None:
    stores = open_stores(tmp_path / "worker", ())
    with pytest.raises(StoreError, match="holds no partition"):
        await snapshots.take(stores, tmp_path / "backup", tmp_path / "scratch", NOW)
    assert not (tmp_path / "backup").exists()
