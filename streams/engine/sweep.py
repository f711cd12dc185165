"""Rows that expire: deleted a few at a time, inside the batches of their own partition.

A sweep is no writer of its own. A handler asks it which rows have expired and stages their deletion
together with the rows of its batch, so the deletions take the same way (changelog, disk, ack), in
the same order: no row that a batch in flight has staged is overwritten, and a crash at any point
leaves either both or neither. Time is the newest event time that the partition has seen. So a
replay expires what the first run expired, and a partition without events keeps what it has.
"""

from collections.abc import Callable, Container
from typing import Final, NamedTuple

from msgspec import DecodeError, Struct, msgpack
from msgspec.structs import replace

from streams.engine.store import Store
from streams.engine.table import BatchTable

Expired = Callable[[bytes, int], bool]
"""Whether a row has expired at an event time in ms. Pure; once true for a row, true for good."""

LOOKS_PER_RECORD = 2
"""Rows looked at for each record of a batch: above 1, so a pass ends though rows are added."""
MOST_LOOKS = 512
"""Rows looked at in one turn, so that no batch waits long."""


class Stand(Struct, array_like=True, frozen=True):
    """Where a partition's sweep stands; noted on its disk.

    Attributes:
        newest_ts: Newest event time seen, ms.
        began_ts: `newest_ts` when the last pass over all rows began; None before the first.
        after: The last key that the pass looked at; None between passes.
    """

    newest_ts: int = 0
    began_ts: int | None = None
    after: bytes | None = None


_NOTES: Final = msgpack.Decoder(Stand)


class Turn(NamedTuple):
    """What one look brought.

    Attributes:
        doomed: Keys to delete with the batch.
        stand: Where the sweep stands once they are deleted; None where it did not move.
    """

    doomed: list[bytes]
    stand: Stand | None


class Sweep:
    """Finds expired rows of one table.

    Args:
        table: Whose rows expire.
        expired: Which do.
        every_ms: Event time from the beginning of one pass over a partition to the next.
    """

    def __init__(self, table: BatchTable, expired: Expired, every_ms: int) -> None:
        self._table = table
        self._expired = expired
        self._every_ms = every_ms
        self._stands: dict[int, tuple[int, Stand]] = {}  # partition -> (epoch, stand)

    def turn(self, partition: int, newest_ts: int, records: int, touched: Container[bytes]) -> Turn:
        """Return what to delete with the batch being handled.

        Call it right before `stage`, with no await between: what it finds is judged by the rows as
        staged so far.

        Args:
            partition: Of the batch.
            newest_ts: Newest event time in the batch, ms; 0 for none.
            records: Records in the batch; they bound the work.
            touched: Keys that the batch writes; they are alive.

        Raises:
            PartitionRevoked: the partition is no longer ours.
        """
        stand = self._stand(partition)
        now = max(stand.newest_ts, newest_ts)
        due = stand.began_ts is None or now - stand.began_ts >= self._every_ms
        if stand.after is None and not due:
            self._keep(partition, replace(stand, newest_ts=now))
            return Turn([], None)
        began = now if stand.after is None else stand.began_ts
        limit = min(MOST_LOOKS, max(1, records) * LOOKS_PER_RECORD)
        keys = [key for key, _ in self._table.scan(partition, stand.after, limit)]
        rows = self._table.get_many(partition, keys)  # staged ones are newer than the disk's
        doomed = [
            key
            for key, row in zip(keys, rows, strict=True)
            if row is not None and key not in touched and self._expired(row, now)
        ]
        stand = Stand(now, began, keys[-1] if len(keys) == limit else None)
        self._keep(partition, stand)
        return Turn(doomed, stand)

    def note(self, partition: int, turn: Turn) -> None:
        """Note how far the sweep is, once a turn's deletions are committed.

        A crash before it repeats the turn, which then finds nothing left to do.

        Raises:
            PartitionRevoked: the partition is no longer ours.
        """
        if turn.stand is not None:
            store: Store = self._table.data
            store.partition(partition).set_note(msgpack.encode(turn.stand))

    def _keep(self, partition: int, stand: Stand) -> None:
        self._stands[partition] = (self._table.app.consumer.epoch, stand)

    def _stand(self, partition: int) -> Stand:
        epoch, stand = self._stands.get(partition, (None, None))
        if stand is None or epoch != self._table.app.consumer.epoch:  # its rows may be others now
            store: Store = self._table.data
            stand = _read(store.partition(partition).note())
        return stand


def _read(note: bytes | None) -> Stand:
    """Return what was noted; what a later version noted is not worth an error: start anew."""
    if note is None:
        return Stand()
    try:
        return _NOTES.decode(note)
    except DecodeError:
        return Stand()
