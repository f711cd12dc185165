"""A watchdog beside the app: recovery's progress, partitions that stall, and the loop's pulse.

Kafka clients can stop delivering a partition and say nothing: a seek to offsets that were deleted,
a handler that never returns, a fetch that is lost. So we look from outside: what is there to do, as
the broker says, and does the partition get on?
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka.errors import KafkaError
from faust.types import TP, AppT
from mode import Service

from streams.engine.consumer import Consumer
from streams.engine.progress import Progress
from streams.engine.stalls import Mark, Stalls

TICK_S = 0.5
LOOKS_PER_LIMIT = 6
MOST_BETWEEN_LOOKS_S = 5.0
ANSWER_WITHIN_S = 5.0
WEIGH_EVERY_S = 5.0

log = logging.getLogger(__name__)


class Watch(Service):  # type: ignore[misc]  # mode ships no types
    """What an operator may want to know about a running app; read it from any thread.

    Attributes:
        progress: Of the recovery of its tables.
        pulse_s: When the event loop last turned, on the monotonic clock; None before it did.
        sizes: Of each table, its rows and bytes here, standbys too (see `Rocks.size`).

    Args:
        app: An app on `batch://`.
        stall_s: Time without progress that makes a partition count as stalled.
        expecting: Whether handlers are to make progress now. They may have reasons not to, such
            as a start that waits for something.
    """

    mundane_level = "debug"  # its starts and stops are no news

    def __init__(
        self, app: AppT, *, stall_s: float, expecting: Callable[[], bool] = lambda: True
    ) -> None:
        super().__init__()
        self.progress = Progress(log.info)
        self.pulse_s: float | None = None
        self.sizes: Mapping[str, tuple[int, int]] = {}
        self._app = app
        self._stall_s = stall_s
        self._expecting = expecting
        self._stalls = Stalls()
        self._stalled: dict[TP, float] = {}
        app.on_partitions_assigned.connect(self._begin)
        app.on_rebalance_complete.connect(self._end)

    @property
    def ready(self) -> bool:
        """Whether all tables are recovered, and the partitions are ours for now."""
        return bool(self._app.tables.actives_ready)

    @property
    def stalled(self) -> Mapping[TP, float]:
        """Partitions that have something to do and stand still, and for how many seconds."""
        return self._stalled

    @property
    def silent_s(self) -> float:
        """Seconds since the event loop last turned, beyond its usual pace; 0 before the start."""
        if self.pulse_s is None:
            return 0.0
        return max(0.0, time.monotonic() - self.pulse_s - TICK_S)

    @Service.task  # type: ignore[untyped-decorator]  # mode ships no types
    async def _feel_pulse(self) -> None:
        while not self.should_stop:
            self.pulse_s = time.monotonic()
            self.progress.see(self.pulse_s, self._rows(), self._remaining())
            await self.sleep(TICK_S)

    @Service.task  # type: ignore[untyped-decorator]  # mode ships no types
    async def _weigh(self) -> None:
        while not self.should_stop:
            tables = self._app.tables.items()
            self.sizes = {name: table.data.size() for name, table in tables}
            await self.sleep(WEIGH_EVERY_S)

    def _rows(self) -> int:
        return sum(table.data.recovered for table in self._app.tables.values())

    def _remaining(self) -> int:
        recovery = self._app.tables.recovery
        if not recovery.in_recovery:
            return 0
        return sum(count for count in recovery.active_remaining().values() if count > 0)

    async def _begin(self, *_: object, **__: object) -> None:
        self.progress.begin(time.monotonic(), self._rows())

    async def _end(self, *_: object, **__: object) -> None:
        self.progress.end(time.monotonic(), self._rows())

    @Service.task  # type: ignore[untyped-decorator]  # mode ships no types
    async def _look_for_stalls(self) -> None:
        pause_s = min(MOST_BETWEEN_LOOKS_S, self._stall_s / LOOKS_PER_LIMIT)
        before_s = time.monotonic()
        while not self.should_stop:
            await self.sleep(pause_s)
            now_s = time.monotonic()
            try:
                marks = await self._marks()
            except (KafkaError, TimeoutError, ConnectionError) as error:
                log.warning("the broker does not say where partitions end: %r", error)
            else:
                self._stalls.look(min(now_s - before_s, 2 * pause_s), marks)
                self._report()
            before_s = now_s

    def _report(self) -> None:
        stalled = self._stalls.longer_than(self._stall_s)
        for tp in stalled.keys() - self._stalled.keys():
            log.error("%s[%d] has records but makes no progress", tp.topic, tp.partition)
        for tp in self._stalled.keys() - stalled.keys():
            log.info("%s[%d] stalls no longer", tp.topic, tp.partition)
        self._stalled = stalled

    async def _marks(self) -> dict[TP, Mark | None]:
        """Say of each partition that ought to get on where it stands."""
        recovery = self._app.tables.recovery
        if recovery.in_recovery:
            left = recovery.active_remaining()
            return {tp: count if count > 0 else None for tp, count in left.items()}
        if self._app.rebalancing:
            return {}
        consumer: Consumer = self._app.consumer
        changelogs = self._app.tables.changelog_topics
        sources = [tp for tp in consumer.assignment() if tp.topic not in changelogs]
        watched = [*(sources if self._expecting() else ()), *recovery.standby_tps]
        reads = await _ask(consumer, watched) if watched else {}
        marks: dict[TP, Mark | None] = {}
        for tp in watched:
            unacked = consumer.oldest_unacked(tp)
            position, end = reads[tp]
            if unacked is not None:
                marks[tp] = ("handling", unacked)
            else:
                marks[tp] = ("reading", position) if position is None or position < end else None
        return marks


def watch(
    app: AppT, *, stall_s: float = 60.0, expecting: Callable[[], bool] = lambda: True
) -> Watch:
    """Add a watchdog to an app, before it starts. See `Watch`."""
    made = Watch(app, stall_s=stall_s, expecting=expecting)
    app.tables.add_dependency(made)  # runs from before recovery until the tables stop
    return made


async def _ask(consumer: Consumer, tps: Sequence[TP]) -> dict[TP, tuple[int | None, int]]:
    """Return where each partition is read next (None: unknown), and where it ends.

    Runs on the consumer's thread, but not through its queue: what hangs there must not stop us.
    """
    thread = consumer._thread  # noqa: SLF001  nothing public leads there
    asking = asyncio.run_coroutine_threadsafe(
        thread._consumer.end_offsets(tps),  # noqa: SLF001
        thread.thread_loop,
    )
    ends = await asyncio.wait_for(asyncio.wrap_future(asking), ANSWER_WITHIN_S)
    return {tp: (consumer.known_position(tp), ends[tp]) for tp in tps}
