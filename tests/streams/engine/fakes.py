"""What the engine needs of Faust and aiokafka, in memory."""

import asyncio
import functools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ParamSpec, TypeVar

from streams.engine.batch import Batch
from streams.engine.packing import Packed

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """As much of aiokafka's ConsumerRecord as anybody reads."""

    offset: int
    key: bytes = b"k"
    value: bytes | None = b"v"
    timestamp: int = 0
    timestamp_type: int = 0


def batch(*offsets: int, topic: str = "source", partition: int = 0, epoch: int = 0) -> Batch:
    return Batch(topic, partition, tuple(Record(offset) for offset in offsets), epoch)


class Producer:
    """Appends batches to lists, after `gate` opens; fails where told to."""

    def __init__(self, partitions: int = 4) -> None:
        self.logs: defaultdict[tuple[str, int], list[int]] = defaultdict(list)  # record counts
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self._partitions = partitions
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def client(self) -> "Producer":
        return self

    def turn(self, topic: str, partition: int) -> asyncio.Lock:
        return self._turns[topic, partition]

    async def coordinator_lookup(self, kind: object, key: str) -> int:
        del kind, key
        return 0

    async def send(self, node: int, request: Any, *, group: object) -> Any:
        """Answer InitProducerId, the only request that is sent past the producer."""
        del node, request, group
        return SimpleNamespace(error_code=0, producer_id=1, producer_epoch=0)

    async def partitions_for(self, topic: str) -> set[int]:
        del topic
        return set(range(self._partitions))

    async def send_batch(
        self, builder: Packed, topic: str, *, partition: int
    ) -> "asyncio.Future[Any]":
        return asyncio.ensure_future(self._store(builder, topic, partition))

    async def _store(self, builder: Packed, topic: str, partition: int) -> Any:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        log = self.logs[topic, partition]
        base = sum(log)
        log.append(builder.record_count())
        return SimpleNamespace(offset=base)


@dataclass
class App:
    """An app with an epoch, a producer, and the partitions it was assigned."""

    producer: Any
    epoch: int = 0
    max_batch_bytes: int = 1000
    assigned: set[Any] = field(default_factory=set)
    crashed: list[BaseException] = field(default_factory=list)
    should_stop: bool = False

    @property
    def consumer(self) -> Any:
        return SimpleNamespace(epoch=self.epoch, topic_partitions=lambda _: 4)

    @property
    def conf(self) -> Any:
        return SimpleNamespace(
            id="fake",
            producer_max_batch_size=self.max_batch_bytes,
            producer_compression_type="lz4",
            broker_request_timeout=1.0,
            broker_session_timeout=0.2,
        )

    @property
    def assignor(self) -> Any:
        return SimpleNamespace(assigned_actives=lambda: self.assigned)

    async def crash(self, error: BaseException) -> None:
        self.crashed.append(error)


class Stream:
    """A stream of given batches that never ends, and the batches acked."""

    def __init__(self, app: App, batches: Iterable[Batch]) -> None:
        self.app = app
        self.acked: list[Batch] = []
        self._batches = list(batches)

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[Any]:
        for one in self._batches:
            yield SimpleNamespace(value=one)
        await asyncio.Event().wait()

    async def ack(self, event: Any) -> None:
        self.acked.append(event.value)


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run something on the test's loop, for at most 10 s."""
    loop = asyncio.get_event_loop_policy().get_event_loop()
    return loop.run_until_complete(asyncio.wait_for(coroutine, 10))


def run(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Let pytest run an async test."""

    @functools.wraps(test)
    def synchronous(*args: P.args, **kwargs: P.kwargs) -> None:
        finish(test(*args, **kwargs))

    return synchronous
