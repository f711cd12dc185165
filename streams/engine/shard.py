"""Rows of one partition on their way to the changelog and the disk, several batches at once."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from typing import NamedTuple

Rows = Mapping[bytes, bytes | None]
Store = Callable[[Rows], Awaitable[None]]
Done = asyncio.Future[None]
TOLD_AT_ONCE = 8
"""Batches that hear at once that they are stored, where few wait; new events come between."""
_GOLDEN = (math.sqrt(5) - 1) / 2
_PAUSES, _PAUSE_S = 64, 0.002  # so many at most, each so long


class CommitAbandoned(RuntimeError):
    """An earlier batch of the partition failed, so this one, built on its rows, cannot stand."""


@dataclass(slots=True, eq=False)
class _Staged:
    rows: Rows
    done: Done | None = None  # set once its outputs are delivered: from then on it may be stored
    urgent: bool = False


class Turns(NamedTuple):
    """When a partition's rows are stored: every so often, 0 for at once.

    Partitions of a worker get turns that lie apart, however many they are (multiples of the golden
    ratio, modulo 1: Knuth, TAOCP vol. 3, 6.4, theorem S). Were all stored at once, events that come
    meanwhile would wait for all.
    """

    every_s: float
    partition: int

    def until_next(self, now: float) -> float:
        """Return how long it is from `now` to the next turn, s: above 0, at most `every_s`."""
        return self.every_s * (1.0 - (now / self.every_s - self.partition * _GOLDEN) % 1.0)


class Shard:
    """Stages, merges and stores rows of one partition, in the order of their batches.

    Batches that are ready while others are stored, or before the partition's turn comes, become one
    group: a row that they all changed is written once, and the group is stored or fails as one.

    Args:
        name: for messages.
        epoch: what the rows belong to.
        store: writes a group; when it returns, the rows are safe.
        turns: rows that are not urgent wait for the next.
        most_bytes: of rows that wait; at about so many they wait no longer.
    """

    def __init__(self, name: str, epoch: int, store: Store, turns: Turns, most_bytes: int) -> None:
        self.name = name
        self.epoch = epoch
        self.newest: dict[bytes, bytes | None] = {}  # all that is not stored yet
        self._store = store
        self._turns = turns
        self._most_bytes = most_bytes
        self._staged: deque[_Staged] = deque()
        self._ready: dict[bytes, bytes | None] = {}
        self._row_bytes = 0.0  # the largest mean of a batch
        self._owed: list[Done] = []
        self._now = asyncio.Event()
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    def add(self, rows: Rows) -> None:
        """Let later batches read rows; they are not stored before `hand_over`."""
        self._staged.append(_Staged(rows))
        self.newest.update(rows)

    @property
    def full(self) -> bool:
        """Whether so much is waiting that nothing should be added."""
        return len(self._ready) * self._row_bytes > self._most_bytes

    def hand_over(self, rows: Rows, *, urgent: bool) -> Done:
        """Let rows be stored once those of all earlier batches may; return what says they are.

        Args:
            rows: the very mapping that was added.
            urgent: do not wait for others.
        """
        staged = next(staged for staged in self._staged if staged.rows is rows)
        staged.done = done = asyncio.get_running_loop().create_future()
        staged.urgent = urgent
        if self._failure is not None:
            done.set_exception(self._abandoned())
        else:
            self._merge()
        return done

    def holds(self, rows: Rows) -> bool:
        """Say whether this very mapping was added and is not handed over."""
        return any(staged.rows is rows for staged in self._staged)

    async def close(self) -> None:
        """Give up what is not stored yet."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for done in (*self._owed, *(staged.done for staged in self._staged)):
            if done is not None:
                done.cancel()
        self._owed = []

    def _merge(self) -> None:
        """Move what is ready, and has nothing unready before it, into the next group."""
        while self._staged and self._staged[0].done is not None:
            staged = self._staged.popleft()
            if rows := staged.rows:
                taken = sum(map(len, rows)) + sum(map(len, filter(None, rows.values())))
                self._row_bytes = max(self._row_bytes, taken / len(rows))
                self._ready.update(rows)
            self._owed.append(staged.done)  # type: ignore[arg-type]  # not None, see above
            if staged.urgent or self.full:
                self._now.set()
        if self._owed and self._task is None:
            # In a context of its own: it works for many batches.
            self._task = asyncio.create_task(self._work(), context=Context())

    async def _work(self) -> None:
        try:
            while self._owed:
                if self._turns.every_s:
                    wait_s = self._turns.until_next(time.monotonic())
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):  # `wait_for` may swallow a cancel
                            await self._now.wait()
                self._now.clear()
                await self._store_group()
        finally:
            self._task = None

    async def _store_group(self) -> None:
        rows, self._ready = self._ready, {}
        owed, self._owed = self._owed, []
        try:
            await self._store(rows)
        except asyncio.CancelledError:
            for done in owed:
                done.cancel()
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, who waits has to know
            self._fail(error, owed)
        else:
            self._forget(rows)
            await _tell(owed)

    def _fail(self, error: Exception, owed: list[Done]) -> None:
        """Tell the first what went wrong, and all others that they were built on it."""
        self._failure = error
        staged = [each.done for each in self._staged if each.done is not None]
        waiting = [done for done in (*owed, *self._owed, *staged) if not done.done()]
        self._owed = []
        for number, done in enumerate(waiting):
            done.set_exception(self._abandoned() if number else error)

    def _abandoned(self) -> CommitAbandoned:
        abandoned = CommitAbandoned(f"{self.name}: an earlier commit failed")
        abandoned.__cause__ = self._failure
        return abandoned

    def _forget(self, rows: Rows) -> None:
        """Drop rows that are stored; where a later batch has newer ones, those stay."""
        if not self._staged and not self._ready:
            self.newest.clear()
            return
        # Not judged by the rows themselves: two batches may delete the same key.
        kept = set(self._ready).union(*(staged.rows for staged in self._staged))
        for key in rows.keys() - kept:
            self.newest.pop(key, None)


async def _tell(owed: Sequence[Done]) -> None:
    """Say that all is stored, some at a time: each wakes a batch that is then acked."""
    at_once = max(TOLD_AT_ONCE, math.ceil(len(owed) / _PAUSES))
    try:
        for begin in range(0, len(owed), at_once):
            if begin:
                await asyncio.sleep(_PAUSE_S)
            for done in owed[begin : begin + at_once]:
                if not done.done():
                    done.set_result(None)
    except asyncio.CancelledError:
        for done in owed:
            done.cancel()
        raise
