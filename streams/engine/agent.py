"""Agents over batches: in order, pipelined, and acked only when everything is stored."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from faust.types import AppT, EventT, StreamT

from streams.engine.batch import Batch, Flight, flying

log = logging.getLogger(__name__)

Handler = Callable[[Batch], Awaitable[None]]
DEPTH = 4


async def consume(stream: StreamT, handle: Handler, depth: int = DEPTH) -> None:
    """Run `handle` on each batch of a stream; never returns while the worker lives.

    A batch starts when the one before has staged its rows (or ended, where it stages none), so it
    reads them; up to `depth` handlers run. A batch is acked when its handler has returned and what
    it gave to `commit_later` is stored. Where that fails after a rebalance (most likely by
    PartitionRevoked), the batch is dropped: its next owner gets it again. On any other error
    nothing more is acked and the worker crashes, since to go on would skip the batch: a supervisor
    has to start it again.

    Args:
        stream: what Faust passes to an agent; its topics must be decoded raw.
        handle: must stage all its rows at once, with no await between its calls of `stage`.
        depth: handlers at work, at least 1.
    """
    if depth < 1:
        raise ValueError(f"depth is {depth}: at least one batch must be in flight")
    flights = _Flights(stream, handle, depth)
    try:
        async for event in stream.noack().events():
            await flights.start(event)
    finally:
        await flights.land()


class _Flights:
    def __init__(self, stream: StreamT, handle: Handler, depth: int) -> None:
        self.stream = stream
        self.app: AppT = stream.app
        self.handle = handle
        self.slots = asyncio.Semaphore(depth)
        self.tasks: set[asyncio.Task[None]] = set()
        self.failed = False

    async def start(self, event: EventT) -> None:
        """Start one batch; return when the next may start."""
        await self.slots.acquire()
        if self.failed:
            await asyncio.Event().wait()  # the worker is crashing; Faust cancels us
        flight = Flight(event.value)
        task = asyncio.create_task(self._fly(flight, event), name=f"batch {flight.batch}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(flight.let_next_start)
        await flight.staged

    async def land(self) -> None:
        """Cancel what is in flight: it is not acked, so it is delivered again."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _fly(self, flight: Flight, event: EventT) -> None:
        batch = flight.batch
        try:
            try:
                with flying(flight):
                    await self.handle(batch)
            finally:
                self.slots.release()
            if flight.owed:
                batch.release()
                await asyncio.gather(*flight.owed)
            await self.stream.ack(event)
        except Exception as error:  # noqa: BLE001  whatever it is, it must not be acked
            if batch.epoch != self.app.consumer.epoch:
                log.info("dropped %s, its next owner gets it: %s", batch, error)
            elif self.app.should_stop:
                log.info("left %s unfinished, it is delivered again: %s", batch, error)
            else:
                await self._fail(batch, error)

    async def _fail(self, batch: Batch, error: Exception) -> None:
        if self.failed:
            return
        self.failed = True
        log.critical("%s failed and is not acked; the worker ends", batch, exc_info=error)
        mine = asyncio.current_task()
        for task in self.tasks:
            if task is not mine:
                task.cancel()
        await self.app.crash(error)


def agent(app: AppT, *topics: str, name: str, depth: int = DEPTH) -> Callable[[Handler], Any]:
    """Decorate a handler of batches: it becomes a Faust agent over the topics.

    Args:
        app: an app on `batch://`.
        topics: co-partitioned with each other and with the tables that the handler writes.
        name: unique in the app.
        depth: batches in flight.
    """

    def decorate(handle: Handler) -> Any:
        async def run(stream: StreamT) -> None:
            await consume(stream, handle, depth)

        run.__qualname__ = name  # what Faust logs
        source = app.topic(*topics, key_serializer="raw", value_serializer="raw")
        return app.agent(source, name=name, concurrency=1)(run)

    return decorate
