"""A Faust consumer that delivers batches, and serves none before its tables are recovered."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import aiokafka
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode import Service

from streams.engine.batch import Batch, Record
from streams.engine.patience import be_patient, within
from streams.engine.recovery import step_over_holes

FETCH_MAX_WAIT_MS = 250  # Faust's 1500 delays a partition that missed the node's long poll
COMMIT_ON_REVOKE_S = 5.0
LEAVE_WITHIN_S = 10.0


class RebalanceListener(driver.ConsumerRebalanceListener):  # type: ignore[misc]  # faust ships no types
    """Opens a new epoch at the very first sign of a rebalance, on the consumer's own thread."""

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Awaitable[None]:
        """Outdate every batch in flight, then let Faust go on."""
        self._thread.consumer.epoch += 1
        outcome: Awaitable[None] = super().on_partitions_revoked(revoked)
        return outcome


class ConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]  # faust ships no types
    """The thread that fetches: reads committed records only, and never sleeps long in a fetch."""

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust has no settings for these two; aiokafka reads them when the consumer starts.
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001  no public way
        consumer._isolation_level = "read_committed"  # noqa: SLF001  aborted events never happened
        be_patient(consumer._client)  # noqa: SLF001
        return consumer

    def close(self) -> None:
        """Do nothing: the thread stops its consumer itself, when it ends.

        Faust calls this where a rebalance meets a worker that is stopping. It would close the
        connections on its own loop while this thread's uses them: the process died of SIGSEGV.
        """

    async def on_thread_stop(self) -> None:
        """Leave the group, but in bounds: the worker waits for this thread.

        Faust waits for the consumer to stop, and that for a rebalance under way, and that for the
        worker's own loop. Where this fails or is cancelled the worker would not be told for 60 s.
        """
        try:
            await within(super().on_thread_stop(), LEAVE_WITHIN_S)
        except (TimeoutError, KafkaError) as error:
            self.log.warning("did not leave the group in order, its session ends alone: %r", error)

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  Faust's signature
        """Fetch on this thread, called from Faust's: without Faust's queue for calls.

        The queue's workers wake up through several futures a call, and every poll waits for them.
        """
        consumer = self._ensure_consumer()
        most = consumer._max_poll_records  # noqa: SLF001  as Faust does
        fetching = self._fetch_records(consumer, active_partitions, timeout, most)
        calling = asyncio.run_coroutine_threadsafe(fetching, self.thread_loop)
        return await asyncio.wrap_future(calling)

    def known_position(self, tp: TP) -> int | None:
        """Return where a partition is read next; None where it is not ours, or not known yet.

        aiokafka's `position()` fails where a rebalance took the partition meanwhile, and waits
        where the position is not known: for ever, if need be.
        """
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(tp)
        return state.position if state is not None and state.has_valid_position else None

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP] | None,
        timeout: float | None = None,  # noqa: ASYNC109  Faust's signature
        max_records: int | None = None,
    ) -> "Fetched":
        wanted = None if active_partitions is None else _Wanted(self.consumer, active_partitions)
        records = await super()._fetch_records(consumer, wanted, timeout, max_records)
        return Fetched(records, self.consumer.epoch)


class Fetched(dict[TP, Sequence[Record]]):
    """Records and the epoch they belong to, told on the thread on which epochs begin."""

    def __init__(self, records: Mapping[TP, Sequence[Record]], epoch: int) -> None:
        super().__init__(records)
        self.epoch = epoch


class _Wanted:
    """Partitions to fetch from, judged when records are there: Faust changes the set meanwhile.

    True even where empty, since aiokafka takes an empty set for "all".
    """

    def __init__(self, consumer: "Consumer", active: set[TP]) -> None:
        self._consumer = consumer
        self._active = active

    def __contains__(self, tp: TP) -> bool:
        return tp in self._active and self._consumer.serves(tp)


class Consumer(driver.Consumer):  # type: ignore[misc]  # faust ships no types
    """Yields batches, and commits the end of the longest acked prefix of them."""

    RebalanceListener: ClassVar[type[RebalanceListener]] = RebalanceListener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.epoch = 0  # rebalances so far
        self._skipped = False  # records of the sources were fetched but not delivered
        self._room = asyncio.Event()  # a partition may be fetched from again
        # In delivery order. Judged by the messages themselves, not by offsets: a late ack of an
        # outdated message can never pass for the ack of its redelivery.
        self._outstanding: defaultdict[TP, deque[Message]] = defaultdict(deque)
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109  Faust's signature
        """Fetch, and yield one message per partition that has records.

        Records of an epoch that is over are dropped: its partitions start at their committed
        offsets again, whoever owns them. Where others cannot be delivered, a seek makes up for it.
        """
        if self._skipped and not self.app.rebalancing:
            await self.perform_seek()
        fetched, active = await self._wait_next_records(timeout)
        for tp, records in (fetched or {}).items():
            if self.should_stop or fetched.epoch != self.epoch:
                return
            wanted = active is None or tp in active or tp in self._buffered_partitions
            if self.flow_active and wanted and self.serves(tp):
                self.app.monitor.track_tp_end_offset(tp, self.highwater(tp))
                yield ensure_TP(tp), self._deliver(ensure_TP(tp), records, fetched.epoch)
            else:
                self._skipped = self._skipped or not self._is_changelog_tp(tp)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109  Faust's signature
        """Fetch; where all buffers are full wait until one has room, and not 1 s like Faust."""
        if self.flow_active and not self._get_active_partitions():
            self._room.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):  # `wait_for` may swallow a cancel
                    await self._room.wait()
            if not self._get_active_partitions():
                return {}, set()
        return await super()._wait_next_records(timeout)

    def known_position(self, tp: TP) -> int | None:
        """Return where a partition is read next; None where it is not ours, or not known yet."""
        position: int | None = self._thread.known_position(tp)
        return position

    def serves(self, tp: TP) -> bool:
        """Say whether records of a partition may be delivered now.

        While tables recover, only what they recover from. Faust resumes sources and standbys
        earlier, and then empties all queues: what had come by then would be lost.
        """
        return not self.app.rebalancing or tp in self.app.tables.recovery.active_tps

    def _deliver(self, tp: TP, records: Sequence[Record], epoch: int) -> Message:
        batch = Batch(tp.topic, tp.partition, tuple(records), epoch)
        last = records[-1]
        message = ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000 if last.timestamp is not None else None,
            last.timestamp_type,
            None,
            None,
            batch,
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )
        if self.app.topics.acks_enabled_for(tp.topic):
            self._outstanding[tp].append(message)
        # Faust drops what ends below the offset it read last, and a seek may come before it notes
        # that offset. Better twice than never: rows know what they contain.
        self._read_offset[tp] = None
        return message

    def _new_offset(self, tp: TP) -> int | None:
        outstanding = self._outstanding[tp]
        offset = None
        while outstanding and outstanding[0].acked:
            offset = outstanding.popleft().offset + 1
        self._acked[tp].clear()  # Faust's own account, which counts single offsets
        self._acked_index[tp].clear()
        return offset

    def oldest_unacked(self, tp: TP) -> int | None:
        """Return the last offset of the oldest batch that is not acked yet, None where all are."""
        unacked = (message.offset for message in self._outstanding.get(tp, ()) if not message.acked)
        return next(unacked, None)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        for tp in list(self._outstanding):
            if topics is None or tp in topics or tp.topic in topics:
                yield tp

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: offsets inside a batch are no gap, and real holes lie between batches."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is acked, so that the next owner does not repeat it; forget the rest.

        A consumer that stops has committed, and its thread takes no calls any more.
        """
        try:
            if not self.should_stop:
                await within(self.commit(), COMMIT_ON_REVOKE_S)
        except (TimeoutError, KafkaError) as error:
            self.log.warning("not committed before a rebalance, will be replayed: %r", error)
        for tp in revoked:
            self._outstanding.pop(tp, None)
        self._buffered_partitions.clear()
        await super().on_partitions_revoked(revoked)

    def on_buffer_drop(self, tp: TP) -> None:
        """Fetch again from a partition whose buffer has room, but never while tables recover.

        Faust would: a handler then read rows that are not there yet, and the seek that ends
        recovery delivered its batch once more.
        """
        if self.app.rebalancing:
            self._buffered_partitions.discard(tp)
        else:
            super().on_buffer_drop(tp)
            self._room.set()

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch from paused partitions again, at once."""
        super().resume_partitions(tps)
        self._room.set()

    async def seek(self, partition: TP, offset: int) -> None:
        """Move a partition; its outstanding batches will be delivered again."""
        self._outstanding.pop(ensure_TP(partition), None)
        await super().seek(partition, offset)

    async def perform_seek(self) -> None:
        """Move all partitions to their committed offsets, and those that have none to the start.

        aiokafka leaves the latter where they are. What a poll had taken from them while the group
        rebalanced, and was not delivered therefore, would be lost.
        """
        self._skipped = False
        self._outstanding.clear()
        await super().perform_seek()
        if self.app.conf.consumer_auto_offset_reset == "earliest":
            sources = (tp for tp in self.assignment() if not self._is_changelog_tp(tp))
            fresh = [TopicPartition(*tp) for tp in sources if not self._committed_offset[tp]]
            if fresh:
                await self._thread.seek_to_beginning(*fresh)

    @Service.task  # type: ignore[untyped-decorator]  # mode ships no types
    async def _recovery_over_holes(self) -> None:
        await step_over_holes(self)
