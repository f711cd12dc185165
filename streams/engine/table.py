"""A Faust table written once per batch: changelog first, then disk, both confirmed."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import faust
from faust.exceptions import ImproperlyConfigured, PartitionsMismatch
from faust.types import TP, AppT, EventT

from streams.engine.batch import PartitionRevoked, current_flight
from streams.engine.changelog import Changelog
from streams.engine.consumer import Consumer
from streams.engine.output import refuse_outdated
from streams.engine.recovery import ChangelogQueue
from streams.engine.rocks import Memory, check_keys
from streams.engine.shard import Rows, Shard, Turns
from streams.engine.store import Store

MiB = 1 << 20
_ABSENT = object()
LINGER_S = 1.0
WAITING_MB = 16
_RECOVERY_BATCHES = 2  # Faust treats 1 specially (it would go on reading after recovery)


class ChangelogMissing(ImproperlyConfigured):  # type: ignore[misc]  # faust ships no types
    """The broker has no such changelog topic."""


class BatchTable(faust.Table):  # type: ignore[misc]  # faust ships no types
    """Bytes to bytes, partitioned like its changelog; Faust assigns, recovers and stands by.

    Within a batch: `get_many`, compute, `stage`; send outputs; `commit`, or `commit_later`, with
    the same mapping. So a row that says it contains an event proves that the event's outputs were
    delivered, the disk is never ahead of the changelog, and the next batch can be computed
    meanwhile. Batches that wait to be stored are stored together, each row once.

    Made by `table()`, not by `app.Table`.
    """

    def __init__(
        self,
        app: AppT,
        *,
        name: str,
        changelog: str,
        memory: Memory | None = None,
        linger_s: float = LINGER_S,
        waiting_mb: int = WAITING_MB,
        **kwargs: Any,
    ) -> None:
        topic = app.topic(
            changelog,
            key_serializer="raw",
            value_serializer="raw",
            acks=False,
            internal=False,  # so Faust never tries to create it
            allow_empty=True,
        )
        super().__init__(
            app,
            name=name,
            changelog_topic=topic,
            key_type=bytes,
            value_type=bytes,
            recovery_buffer_size=_RECOVERY_BATCHES,
            standby_buffer_size=1,
            options={"memory": memory},
            **kwargs,
        )
        self._shards: dict[int, Shard] = {}
        self._linger_s = linger_s
        self._waiting_bytes = waiting_mb * MiB
        self._changelog = Changelog(changelog)

    def _new_store(self) -> Store:
        store: Store = self._new_store_by_url("batchrocks://")
        return store

    async def on_start(self) -> None:
        """Start the store; refuse to run without the changelog.

        Raises:
            ChangelogMissing: the topic is not there; nobody but us may create it.
        """
        if not isinstance(self.app.consumer, Consumer):
            raise ImproperlyConfigured(
                f"table {self.name!r} needs broker='batch://...', not {self.app.conf.broker}"
            )
        await self.add_runtime_dependency(self.data)
        # All topics, since asking for one by name may create it.
        cluster = await self.app.producer.client.client.fetch_all_metadata()
        if not cluster.partitions_for_topic(self.changelog_topic_name):
            raise ChangelogMissing(
                f"table {self.name!r}: topic {self.changelog_topic_name!r} does not exist; create "
                "it with cleanup.policy=compact and as many partitions as the table's sources"
            )

    # Batches

    def get_many(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return rows in the order of the keys, None where there is none.

        Raises:
            PartitionRevoked: the partition, or the batch being handled, is no longer ours.
        """
        shard = self._shard(partition)
        newest = shard.newest
        store: Store = self.data
        if not newest:
            return store.get_many(partition, keys)
        rows: list[Any] = [newest.get(key, _ABSENT) for key in keys]
        missing = [index for index, row in enumerate(rows) if row is _ABSENT]
        found = store.get_many(partition, [keys[index] for index in missing])
        for index, row in zip(missing, found, strict=True):
            rows[index] = row
        return rows

    def stage(self, partition: int, rows: Rows) -> None:
        """Let later batches read rows that are not committed yet, and start.

        Args:
            partition: of the batch.
            rows: what changed, None deletes; do not change the mapping afterwards.

        Raises:
            PartitionRevoked: as in `get_many`.
            ValueError: a key is reserved.
        """
        check_keys(rows)
        self._verify_partitions(partition)
        self._shard(partition).add(rows)
        flight = current_flight()
        if flight is not None:
            flight.let_next_start()

    async def commit(self, partition: int, rows: Rows) -> None:
        """Append rows to the changelog, then write them to disk; batches in the order staged.

        Args:
            partition: of the batch.
            rows: the very mapping that was staged; one that was not is staged now.

        Raises:
            PartitionRevoked: the partition is no longer ours; the disk is untouched.
            RecordTooLarge: a row exceeds producer_max_batch_size.
            CommitAbandoned: an earlier commit of the partition failed.
            aiokafka.errors.KafkaError: the changelog was not written; nor was the disk.
        """
        await self._handed_over(partition, rows).hand_over(rows, urgent=True)

    async def commit_later(self, partition: int, rows: Rows) -> None:
        """Let rows be committed within `linger_s`, with those of other batches: each row once.

        The handler may return then; its batch is acked when the rows are safe, and until then its
        slot is free for others. What a crash repeats grows by `linger_s`. Waits itself only where
        more than `waiting_mb` of the partition's rows wait. Outside of a handler it is `commit`.

        Raises: as `commit`, from the batch; from here PartitionRevoked and CommitAbandoned alone.
        """
        flight = current_flight()
        shard = self._handed_over(partition, rows)
        done = shard.hand_over(rows, urgent=flight is None)
        if flight is None:
            await done
            return
        flight.owed.append(done)
        if shard.full:
            await asyncio.wait([done])

    def _handed_over(self, partition: int, rows: Rows) -> Shard:
        """Return the shard that holds these staged rows, staging them where need be."""
        shard = self._shard(partition)
        if not shard.holds(rows):
            self.stage(partition, rows)
        return shard

    async def _write_group(self, partition: int, epoch: int, rows: Rows) -> None:
        self._refuse_outdated(partition, epoch)
        offset = await self._changelog.append(self.app, partition, epoch, rows)
        self._refuse_outdated(partition, epoch)
        self.data.write(partition, rows, offset)

    async def on_stop(self) -> None:
        """Give up what is not stored: its batches are not acked, so they are delivered again."""
        for shard in self._shards.values():
            await shard.close()
        await super().on_stop()

    def flush(self, partition: int) -> None:
        """Leave nothing of deleted rows in the disk's log; RocksDB merges files within 30 days."""
        store: Store = self.data
        store.partition(partition).flush()

    def scan(self, partition: int, after: bytes | None, limit: int) -> list[tuple[bytes, bytes]]:
        """Return committed rows in key order, for sweeps: continue after the last key returned."""
        store: Store = self.data
        return store.partition(partition).scan(after, limit)

    def _shard(self, partition: int) -> Shard:
        refuse_outdated(self.app)
        epoch = self.app.consumer.epoch
        shard = self._shards.get(partition)
        if shard is None or shard.epoch != epoch:  # what an older epoch staged is void
            self.data.partition(partition)  # raises where it is not ours
            store = partial(self._write_group, partition, epoch)
            name = f"table {self.name!r}, partition {partition}"
            turns = Turns(self._linger_s, partition)
            shard = Shard(name, epoch, store, turns, self._waiting_bytes)
            self._shards[partition] = shard
        return shard

    def _refuse_outdated(self, partition: int, epoch: int) -> None:
        actives = self.app.assignor.assigned_actives()
        if epoch != self.app.consumer.epoch:
            raise PartitionRevoked(f"table {self.name!r}, partition {partition}: rebalanced")
        if TP(self.changelog_topic_name, partition) not in actives:
            raise PartitionRevoked(f"table {self.name!r}, partition {partition}: not ours")

    def _verify_partitions(self, partition: int) -> None:
        flight = current_flight()
        if flight is None:
            return
        if flight.batch.partition != partition:
            raise PartitionsMismatch(
                f"table {self.name!r}: batch {flight.batch} may not write to partition {partition}"
            )
        self._verify_source_topic_partitions(flight.batch.topic)

    # Faust

    async def on_rebalance(self, assigned: set[TP], *args: Any, **kwargs: Any) -> None:
        """Open and close partitions, and shut out earlier writers of ours before recovery.

        Recovery reads up to where the changelog ends when all tables have been here.

        Raises: as `Writer.register`, and Faust ends the worker.
        """
        await super().on_rebalance(assigned, *args, **kwargs)
        actives = self.app.assignor.assigned_actives()
        mine = [tp.partition for tp in actives if tp.topic == self._changelog.topic]
        for partition, fence in (await self._changelog.take(self.app, mine)).items():
            if self.data.persisted_offset(TP(self._changelog.topic, partition)) == fence - 1:
                self.data.write(partition, {}, fence)  # so that there is nothing to recover

    def apply_changelog_batch(self, batch: list[EventT]) -> None:
        """Apply recovered rows; where the disk fails, end the worker (Faust would only log)."""
        try:
            super().apply_changelog_batch(batch)
        except Exception as error:
            self.add_future(self.app.crash(error))
            raise

    def on_key_set(self, key: Any, value: Any) -> None:
        """Refuse: a single write would bypass the order of batches."""
        del value
        raise TypeError(f"table {self.name!r} is written by stage and commit, not [{key!r}] = ...")

    def on_key_del(self, key: Any) -> None:
        """Refuse, like `on_key_set`."""
        raise TypeError(f"table {self.name!r}: stage and commit {{{key!r}: None}} instead of del")


def table(
    app: AppT,
    name: str,
    changelog: str,
    memory: Memory | None = None,
    *,
    linger_s: float = LINGER_S,
    waiting_mb: int = WAITING_MB,
) -> BatchTable:
    """Add a table to the app.

    Args:
        app: an app on `batch://`.
        name: unique in the app; names the directories.
        changelog: name of its topic, created by us, compacted, partitioned like the sources.
        memory: budget shared by the tables of a process.
        linger_s: how long rows given to `commit_later` may wait for others.
        waiting_mb: rows of a partition that may wait, MiB; as much again may be on its way.
    """
    if not isinstance(app.tables._changelog_queue, ChangelogQueue):  # noqa: SLF001  no other seam
        app.tables._changelog_queue = ChangelogQueue(app)  # noqa: SLF001
    made = BatchTable(
        app,
        name=name,
        changelog=changelog,
        memory=memory,
        linger_s=linger_s,
        waiting_mb=waiting_mb,
    )
    app.tables.add(made)
    return made
