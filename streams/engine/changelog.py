"""A table's changelog, written by one worker per partition."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from aiokafka.errors import ProducerFenced
from faust.types import AppT

from streams.engine.batch import PartitionRevoked
from streams.engine.fence import FENCE, Writer
from streams.engine.output import append

_REBALANCE_POLL_S = 0.05


class Changelog:
    """The partitions of a changelog that this worker writes.

    Args:
        topic: its name.
    """

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self._writers: dict[int, Writer] = {}

    async def take(self, app: AppT, partitions: Iterable[int]) -> dict[int, int]:
        """Become the only writer of these partitions, and of no others.

        Returns:
            By partition, the offset after which nothing of an earlier owner can come. The record
            there changes no row.

        Raises: as `Writer.register`.
        """
        self._writers.clear()
        mine = list(partitions)
        offsets = await asyncio.gather(*(self._take(app, partition) for partition in mine))
        return dict(zip(mine, offsets, strict=True))

    async def _take(self, app: AppT, partition: int) -> int:
        writer = Writer(app, self.topic, partition)
        await writer.register()
        (receipt,) = await append(app, self.topic, partition, [(FENCE, None)], writer)
        self._writers[partition] = writer
        return receipt.base_offset

    async def append(
        self, app: AppT, partition: int, epoch: int, rows: Mapping[bytes, bytes | None]
    ) -> int | None:
        """Store rows and return the offset of the last; None where there is none, or it is unknown.

        Args:
            app: an app on `batch://`.
            partition: of the rows.
            epoch: in which they were computed.
            rows: at most one batch's; the earlier ones of the partition must be stored.

        Raises:
            PartitionRevoked: the partition is somebody else's; nothing was stored.
            RecordTooLarge: a row exceeds producer_max_batch_size.
            aiokafka.errors.KafkaError: not all were stored.
        """
        writer = self._writers.get(partition)
        if writer is None or writer.epoch != epoch:
            raise PartitionRevoked(f"{self.topic}[{partition}] is being assigned anew")
        try:
            await writer.renew()
            receipts = await append(app, self.topic, partition, rows.items(), writer)
        except ProducerFenced as error:
            await _hear_of_rebalance(app, epoch)
            raise PartitionRevoked(
                f"{self.topic}[{partition}] is written by another worker"
            ) from error
        if not receipts or receipts[-1].base_offset < 0:
            return None
        return receipts[-1].base_offset + receipts[-1].records - 1


async def _hear_of_rebalance(app: AppT, epoch: int) -> None:
    """Wait, a session at most, for the news that explain why the broker refuses us."""
    deadline = time.monotonic() + app.conf.broker_session_timeout
    while app.consumer.epoch == epoch and time.monotonic() < deadline:  # noqa: ASYNC110  set on another thread
        await asyncio.sleep(_REBALANCE_POLL_S)
