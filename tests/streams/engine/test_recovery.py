"""Recovery ends at a changelog's end, whatever is there, and reads nothing outdated."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from mode.utils.queues import FlowControlEvent

from streams.engine.recovery import ChangelogQueue, step_over_holes
from tests.streams.engine.fakes import App, Producer, batch, run

HERE = TP("counts", 0)


class Consumer:
    """A consumer whose worker recovers one partition, and that is asked a few times."""

    def __init__(
        self, applied: list[int], end: int, position: list[int | None], rounds: int
    ) -> None:
        self.log = SimpleNamespace(info=lambda *_: None)
        self._applied = applied
        self._positions = position
        self._position: int | None = None
        self._rounds = rounds
        self.queue: list[object] = []
        self.recovery: Any = SimpleNamespace(
            in_recovery=True,
            active_offsets={HERE: applied[0]},
            active_highwaters={HERE: end},
            active_remaining=lambda: {HERE: end - self.recovery.active_offsets[HERE]},
        )
        tables = SimpleNamespace(
            recovery=self.recovery, changelog_queue=SimpleNamespace(empty=lambda: not self.queue)
        )
        self.app = SimpleNamespace(tables=tables)

    async def itertimer(self, interval: float, name: str) -> AsyncIterator[float]:
        del name
        for n in range(self._rounds):
            self.recovery.active_offsets[HERE] = self._applied[min(n, len(self._applied) - 1)]
            self._position = self._positions[min(n, len(self._positions) - 1)]
            yield interval

    def known_position(self, tp: TP) -> int | None:
        assert tp == HERE
        return self._position


async def applied_after(consumer: Any) -> int:
    await step_over_holes(consumer)
    return int(consumer.recovery.active_offsets[HERE])


@run
async def test_a_changelog_that_ends_in_holes_is_recovered() -> None:
    assert await applied_after(Consumer([7], end=9, position=[10], rounds=2)) == 9


@run
async def test_nothing_is_stepped_over_while_something_may_come() -> None:
    assert await applied_after(Consumer([7], end=9, position=[9], rounds=3)) == 7  # not read yet
    assert await applied_after(Consumer([6, 7], end=9, position=[10], rounds=2)) == 7  # progress
    gone = Consumer([7], end=9, position=[None], rounds=3)  # no longer ours
    assert await applied_after(gone) == 7
    on_its_way = Consumer([7], end=9, position=[8, 10], rounds=2)  # between fetch and queue
    assert await applied_after(on_its_way) == 7
    queued = Consumer([7], end=9, position=[10], rounds=3)
    queued.queue.append(object())  # read, not applied
    assert await applied_after(queued) == 7


@run
async def test_recovery_never_gets_what_was_fetched_before_a_rebalance() -> None:
    app = App(Producer(), epoch=2)
    flow = FlowControlEvent()
    flow.resume()
    queue = ChangelogQueue(
        SimpleNamespace(  # what it reads of an app
            conf=SimpleNamespace(stream_buffer_maxsize=4),
            flow_control=flow,
            consumer=app.consumer,
        )
    )
    for n, epoch in enumerate((1, 2, 1)):
        value = batch(n, epoch=epoch)
        queue.put_nowait(SimpleNamespace(message=SimpleNamespace(value=value)))
    assert (await queue.get()).message.value.first_offset == 1
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(queue.get(), 0.01)
