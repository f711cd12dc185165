"""Faust's table recovery, helped over holes in a changelog and leftovers in its queue."""

from typing import Any

from faust.types import AppT, EventT
from mode.utils.queues import ThrowableQueue

CHECK_EVERY_S = 1.0


class ChangelogQueue(ThrowableQueue):  # type: ignore[misc]  # mode ships no types
    """The queue that recovery reads: batches of this epoch only.

    A full queue makes Faust wait with the next batch. A rebalance empties the queue and lets that
    batch in, though those before it are gone: rows would be missing, and nobody would know.
    """

    def __init__(self, app: AppT) -> None:
        super().__init__(
            maxsize=app.conf.stream_buffer_maxsize,
            flow_control=app.flow_control,
            clear_on_resume=True,
        )
        self._app = app

    async def get(self) -> EventT:
        """Return the next batch that was fetched since the last rebalance."""
        while True:
            event: EventT = await super().get()
            if event.message.value.epoch == self._app.consumer.epoch:
                return event


async def step_over_holes(consumer: Any) -> None:
    """Let recovery end where a changelog's last offsets hold no record.

    Recovery waits for the record before the end offset. A transaction's marker or a record that
    compaction removed is never delivered, so it would wait for ever. What had been read up to the
    end a look ago, and of which nothing has been applied since, is complete: what was on its way
    from the fetch to the queue has long come.
    """
    before: dict[Any, int] = {}  # how far partitions are applied that are read to their ends
    async for _ in consumer.itertimer(CHECK_EVERY_S, name="step_over_holes"):
        tables = consumer.app.tables
        recovery = tables.recovery
        if not recovery.in_recovery or not tables.changelog_queue.empty():
            before = {}
            continue
        waiting = {}
        for tp in _unfinished(recovery):
            end = recovery.active_highwaters[tp]
            position = consumer.known_position(tp)
            if position is not None and position > end:
                waiting[tp] = recovery.active_offsets[tp]
                if before.get(tp) == waiting[tp]:
                    consumer.log.info("%s ends in holes: %s..%s", tp, waiting[tp] + 1, end)
                    recovery.active_offsets[tp] = end
        before = waiting


def _unfinished(recovery: Any) -> list[Any]:
    return [tp for tp, remaining in recovery.active_remaining().items() if remaining > 0]
