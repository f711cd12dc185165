"""The unit of work: every record of one partition's poll, and who may still act on it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

Record = Any  # aiokafka.structs.ConsumerRecord: .key .value .headers .offset .timestamp (ms)


class PartitionRevoked(RuntimeError):
    """The partition is no longer ours, or was taken and given back: its work must be dropped."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Consecutive records of one partition, in offset order; offsets may have holes.

    `epoch` counts this worker's rebalances: a batch of an earlier epoch belongs to somebody else,
    even where the same partition came back, since its records are delivered again.
    """

    topic: str
    partition: int
    records: tuple[Record, ...]
    epoch: int = 0
    first_offset: int = field(init=False)  # of the first record
    last_offset: int = field(init=False)  # of the last; the batch is committed as this plus one

    def __post_init__(self) -> None:
        object.__setattr__(self, "first_offset", int(self.records[0].offset))
        object.__setattr__(self, "last_offset", int(self.records[-1].offset))

    def release(self) -> None:
        """Let go of the records, the largest part, once nobody needs them; the rest stays known."""
        object.__setattr__(self, "records", ())

    def __len__(self) -> int:
        return len(self.records)

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}] {self.first_offset}..{self.last_offset}"


class Flight:
    """A batch in the hands of its handler. `staged` is done once a later batch may start.

    `owed` is what else must be done, once the handler has returned, before the batch is acked.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.owed: list[asyncio.Future[None]] = []
        self.staged: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def let_next_start(self, _: object = None) -> None:
        """Say that what this batch computed can be read by the next one (or never will be)."""
        if not self.staged.done():
            self.staged.set_result(None)


_current: ContextVar[Flight | None] = ContextVar("flight", default=None)


def current_flight() -> Flight | None:
    """Return the flight on whose behalf the caller runs, in tasks and threads started by it too."""
    return _current.get()


@contextmanager
def flying(flight: Flight) -> Iterator[None]:
    """Make the flight the current one of this task."""
    token = _current.set(flight)
    try:
        yield
    finally:
        _current.reset(token)
