"""A Faust table store over rocksdict: one database per partition, closed when it is revoked."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faust.stores.base import SerializedStore
from faust.streams import current_event
from faust.types import TP, EventT

from streams.engine import backups
from streams.engine.batch import Batch, PartitionRevoked
from streams.engine.rocks import Memory, Rocks, StoreLocked, default_memory

LOCK_RETRIES = 10
LOCK_RETRY_S = 1.0
NOTHING_APPLIED = -1
_SCAN = 1000

Row = tuple[bytes, bytes | None]


class Store(SerializedStore[bytes, bytes]):  # type: ignore[misc]  # faust ships no types
    """Rows of the partitions that this worker owns or stands by for.

    Works under `batch://` and `kafka://` alike: `store="batchrocks://"`. `options={"memory": ...}`
    names the budget that tables share.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._memory: Memory = (self.options or {}).get("memory") or default_memory()
        self._open: dict[int, Rocks] = {}
        self.recovered = 0  # rows applied from the changelog, ever

    @property
    def changelog(self) -> str:
        """Topic that the rows are recovered from."""
        return str(self.table.changelog_topic.get_topic_name())

    def path(self, partition: int) -> Path:
        """Return the directory of one partition."""
        return Path(self.app.conf.tabledir) / f"{self.table_name}-{partition}.db"

    @property
    def held(self) -> list[int]:
        """Partitions that are open, active and standby."""
        return sorted(self._open)

    def size(self) -> tuple[int, int]:
        """Return about how many rows are held, and their bytes (see `Rocks.size`)."""
        sizes = [rocks.size() for rocks in self._open.values()]
        return sum(rows for rows, _ in sizes), sum(size_bytes for _, size_bytes in sizes)

    # What BatchTable uses.

    def partition(self, partition: int) -> Rocks:
        """Return an open partition.

        Raises:
            PartitionRevoked: this worker does not hold it, or no longer.
        """
        try:
            return self._open[partition]
        except KeyError:
            raise PartitionRevoked(
                f"table {self.table_name!r}: partition {partition} is not held by this worker"
            ) from None

    def get_many(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Look keys up in one partition."""
        return self.partition(partition).get_many(keys)

    def write(self, partition: int, rows: Mapping[bytes, bytes | None], offset: int | None) -> None:
        """Write rows together with the changelog offset that they reach."""
        self.partition(partition).write(rows.items(), offset)

    # What Faust's recovery and rebalancing use.

    def persisted_offset(self, tp: TP) -> int:
        """Return the last changelog offset applied, -1 where none is.

        Never None: Faust would then keep an offset that it remembers from an earlier assignment,
        and skip the rows before it.
        """
        offset = self._hold(tp.partition).offset()
        return NOTHING_APPLIED if offset is None else offset

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Record a changelog offset whose row is written already (stock tables do)."""
        self.partition(tp.partition).write((), offset)

    async def need_active_standby_for(self, tp: TP) -> bool:
        """Say yes: workers share no data directory."""
        del tp
        return True

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Any = None, to_value: Any = None
    ) -> None:
        """Apply recovered records, one WriteBatch per partition.

        What an active partition recovers is not logged on disk: its worker does nothing else
        meanwhile, and what a crash loses comes from the changelog again. A standby's rows are.

        Recovery may hand over events that stayed in its queue when another table or another owner
        took their partition; those are not ours to write.
        """
        del to_key, to_value  # rows are bytes
        rows: defaultdict[int, list[Row]] = defaultdict(list)
        reached: dict[int, int] = {}
        for event in batch:
            message = event.message
            if message.topic != self.changelog or message.partition not in self._open:
                continue
            rows[message.partition].extend(_rows(message))
            reached[message.partition] = message.offset
        actives = self.app.assignor.assigned_actives()
        for partition, offset in reached.items():
            standby = TP(self.changelog, partition) not in actives
            self.partition(partition).write(rows[partition], offset, logged=standby)
            self.recovered += len(rows[partition])

    async def on_rebalance(
        self,
        assigned: set[TP],
        revoked: set[TP],
        newly_assigned: set[TP],
        generation_id: int = 0,
    ) -> None:
        """Close what was revoked and open what is ours, active or standby."""
        del newly_assigned, generation_id
        for tp in revoked:
            if tp.topic == self.changelog:
                self._release(tp.partition)
        for tp in sorted(assigned):
            if tp.topic == self.changelog:
                await self._hold_patiently(tp.partition)

    async def on_stop(self) -> None:
        """Close every database before the process ends."""
        self.close()

    def close(self) -> None:
        """Close every database."""
        for partition in list(self._open):
            self._release(partition)

    async def backup_partition(
        self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1
    ) -> None:
        """Copy an open partition to `{table}-backups/{partition}/{number}`.

        Args:
            tp: which one.
            flush: a checkpoint contains rows that are not yet in files, so nothing depends on it.
            purge: delete older backups.
            keep: of how many not.
        """
        del flush
        folder = self._backups(tp)
        backups.make(self.partition(_number(tp)), folder)
        if purge:
            backups.purge(folder, keep)

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """Copy a backup to where the partition lives; the partition must not be there."""
        number = None if latest else backup_id
        backups.restore(self._backups(tp), number, self.path(_number(tp)))

    def _backups(self, tp: TP | int) -> Path:
        return Path(self.app.conf.tabledir) / f"{self.table_name}-backups" / str(_number(tp))

    def _hold(self, partition: int) -> Rocks:
        if partition not in self._open:
            owner = f"table {self.table_name}, changelog {self.changelog}[{partition}], format 1"
            self._open[partition] = Rocks(self.path(partition), owner, self._memory)
        return self._open[partition]

    async def _hold_patiently(self, partition: int) -> None:
        for _ in range(LOCK_RETRIES):  # a worker that we replace may still be closing
            try:
                self._hold(partition)
            except StoreLocked as error:
                self.log.warning("%s; trying again in %s s", error, LOCK_RETRY_S)
                await asyncio.sleep(LOCK_RETRY_S)
            else:
                return
        self._hold(partition)

    def _release(self, partition: int) -> None:
        rocks = self._open.pop(partition, None)
        if rocks is not None:
            rocks.close()

    # What a stock faust.Table uses: one key at a time, in the partition of the current event.

    def _candidates(self) -> list[Rocks]:
        event = current_event()
        if event is not None and not self.table.is_global and not self.table.use_partitioner:
            return [self.partition(event.message.partition)]
        return list(self._open.values())

    def _get(self, key: bytes) -> bytes | None:
        found = (rocks.get_many([key])[0] for rocks in self._candidates())
        return next((value for value in found if value is not None), None)

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None

    def _set(self, key: bytes, value: bytes | None) -> None:
        event = current_event()
        if event is None:
            raise RuntimeError(f"key {key!r} set outside of a stream: its partition is unknown")
        self.partition(event.message.partition).write([(key, value)], None)

    def _del(self, key: bytes) -> None:
        for rocks in self._candidates():
            rocks.write([(key, None)], None)

    def _iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        actives = self.app.assignor.assigned_actives()
        for partition, rocks in list(self._open.items()):
            if TP(self.changelog, partition) in actives or self.table.is_global:
                after = None
                while rows := rocks.scan(after, _SCAN):
                    yield from rows
                    after = rows[-1][0]

    def _iterkeys(self) -> Iterator[bytes]:
        return (key for key, _ in self._iteritems())

    def _itervalues(self) -> Iterator[bytes | None]:
        return (value for _, value in self._iteritems())

    def _size(self) -> int:
        return sum(1 for _ in self._iteritems())

    def _clear(self) -> None:
        raise NotImplementedError("a table is cleared by deleting its keys, through its changelog")

    def reset_state(self) -> None:
        """Refuse: losing state takes an operator who moves the directory away."""
        raise NotImplementedError(f"move {self.path(0).parent} away to recover all from changelogs")


def _number(tp: TP | int) -> int:
    return tp.partition if isinstance(tp, TP) else tp


def _rows(message: Any) -> Iterator[Row]:
    if isinstance(message.value, Batch):
        return ((record.key, record.value) for record in message.value.records)
    return iter([(message.key, message.value)])
