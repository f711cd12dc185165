"""The store as Faust's recovery and rebalancing use it."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from streams import engine
from streams.engine import store as store_module
from streams.engine.batch import Batch, PartitionRevoked
from streams.engine.store import Store
from tests.streams.engine.fakes import Record, run

CHANGELOG = "counts"
HERE = TP(CHANGELOG, 0)


def open_store(directory: Path) -> Store:
    options = engine.app_options(data_dir=directory)
    app = faust.App("bench", broker="batch://nowhere", **options)
    memory = engine.Memory(cache_mb=8, write_buffer_mb=4)
    made: Store = engine.table(app, "counts", CHANGELOG, memory).data
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path)
    yield made
    made.close()


def event(value: Any, topic: str = CHANGELOG, partition: int = 0, **message: Any) -> Any:
    if isinstance(value, Batch):
        message["offset"] = value.last_offset
    return SimpleNamespace(
        message=SimpleNamespace(value=value, topic=topic, partition=partition, **message)
    )


def changelog(*records: tuple[int, bytes, bytes | None]) -> Batch:
    return Batch(CHANGELOG, 0, tuple(Record(*record) for record in records))


@run
async def test_partitions_open_when_assigned_and_close_when_revoked(store: Store) -> None:
    other = TP("elsewhere", 1)
    await store.on_rebalance({HERE, TP(CHANGELOG, 3), other}, set(), set())
    assert store.get_many(0, [b"k"]) == store.get_many(3, [b"k"]) == [None]
    await store.on_rebalance({HERE}, {TP(CHANGELOG, 3), other}, set())
    with pytest.raises(PartitionRevoked, match="partition 3 is not held"):
        store.get_many(3, [b"k"])
    await store.on_rebalance({HERE, TP(CHANGELOG, 3)}, set(), set())  # not locked by itself


@run
async def test_recovered_batches_are_applied_in_order_with_their_offset(store: Store) -> None:
    await store.on_rebalance({HERE}, set(), set())
    store.apply_changelog_batch(
        [
            event(changelog((3, b"a", b"1"), (5, b"b", b"1"))),
            event(changelog((6, b"a", b"2"), (9, b"b", None))),
        ]
    )
    assert store.get_many(0, [b"a", b"b"]) == [b"2", None]
    assert store.persisted_offset(HERE) == 9


@run
async def test_single_records_of_the_stock_transport_are_applied_too(store: Store) -> None:
    await store.on_rebalance({HERE}, set(), set())
    store.apply_changelog_batch([event(b"1", key=b"a", offset=4), event(None, key=b"b", offset=5)])
    assert store.get_many(0, [b"a", b"b"]) == [b"1", None]
    assert store.persisted_offset(HERE) == 5


@run
async def test_what_belongs_to_others_is_not_applied(store: Store) -> None:
    await store.on_rebalance({HERE}, set(), set())
    batch = changelog((3, b"a", b"1"))
    store.apply_changelog_batch([event(batch, topic="users"), event(batch, partition=2)])
    assert store.get_many(0, [b"a"]) == [None]
    assert store.persisted_offset(HERE) == -1


@run
async def test_a_directory_that_stays_locked_is_an_error_after_some_patience(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "LOCK_RETRY_S", 0.001)
    await store.on_rebalance({HERE}, set(), set())
    second = open_store(tmp_path)
    with pytest.raises(engine.StoreLocked):
        await second.on_rebalance({HERE}, set(), set())
    store.close()
    await second.on_rebalance({HERE}, set(), set())
    second.close()


@run
async def test_a_backup_is_restored_where_the_partition_was(store: Store) -> None:
    await store.on_rebalance({HERE}, set(), set())
    store.write(0, {b"a": b"1"}, 7)
    await store.backup_partition(0, purge=True)
    store.close()
    store.path(0).rename(store.path(0).with_suffix(".aside"))
    store.restore_backup(HERE)
    await store.on_rebalance({HERE}, set(), set())
    assert (store.get_many(0, [b"a"]), store.persisted_offset(HERE)) == ([b"1"], 7)
