"""Expiry inside an agent: rows that are no longer wanted go with the rows of a batch."""

from streams.engine import BatchTable, Sweep
from streams.engine.sweep import Expired, Turn
from streams.metrics import Meter

DAY_MS = 86_400_000
PASSES_PER_TTL = 32
LATE = 32
"""A user's row stays this part of its time longer: an event may come that late and find it, or find
that its time is over, whatever others in its partition have done meanwhile."""

Rows = dict[bytes, bytes | None]


class Expiry:
    """Adds deletions to batches; adds none where rows are kept for ever.

    Args:
        table: Whose rows expire.
        ttl_days: After how many days without an event, 0 for never.
        expired: Whether a row has, by its bytes and an event time in ms.
        meter: Counts them.
    """

    def __init__(self, table: BatchTable, ttl_days: int, expired: Expired, meter: Meter) -> None:
        self._sweep = (
            Sweep(table, expired, ttl_days * DAY_MS // PASSES_PER_TTL) if ttl_days else None
        )
        self._counter = meter.expired.labels(table.name)

    def add(self, rows: Rows, partition: int, newest_ts: int, records: int) -> Turn:
        """Add deletions to the rows of a batch, right before they are staged.

        Args:
            rows: Of the batch; changed in place.
            partition: Of the batch.
            newest_ts: Newest event time in the batch, ms; 0 for none.
            records: Records in the batch.
        """
        if self._sweep is None:
            return Turn([], None)
        turn = self._sweep.turn(partition, newest_ts, records, rows)
        rows.update(dict.fromkeys(turn.doomed))
        return turn

    def done(self, partition: int, turn: Turn) -> None:
        """Say that the rows are committed."""
        if self._sweep is not None:
            self._sweep.note(partition, turn)
            self._counter.inc(len(turn.doomed))
