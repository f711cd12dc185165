"""How far the recovery of tables is: for a line in the log now and then, and for metrics."""

from collections.abc import Callable

LOG_EVERY_S = 5.0
SMOOTHING = 0.3  # weight of the newest second in the rate that the time left is told by


class Progress:
    """Follows one recovery after the other.

    Attributes:
        recovering: Whether tables are being read back.
        rows: Rows read back since this object was made; standbys' rows count too.
        remaining: Changelog offsets still to read. Compaction leaves holes, so rows are fewer.

    Args:
        say: Takes a line for the log.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.recovering = False
        self.rows = 0
        self.remaining = 0
        self._say = say
        self._began_s = 0.0
        self._rows_before = 0
        self._seen_s = 0.0
        self._said_s = 0.0
        self._offsets_per_s: float | None = None

    def begin(self, now_s: float, rows: int) -> None:
        """Note that a recovery begins.

        Args:
            now_s: Of a clock that never goes back.
            rows: Rows read back before it.
        """
        self.recovering = True
        self.rows = self._rows_before = rows
        self.remaining = 0
        self._began_s = self._said_s = self._seen_s = now_s
        self._offsets_per_s = None

    def see(self, now_s: float, rows: int, remaining: int) -> None:
        """Take note of how far it is; say so, at most every `LOG_EVERY_S`."""
        if not self.recovering:
            self.rows = rows
            return
        self._measure(now_s, remaining)
        self.rows, self.remaining = rows, remaining
        if now_s - self._said_s >= LOG_EVERY_S:
            self._said_s = now_s
            self._say(f"recovering tables: {self._done(now_s)}, {self._left()}")

    def end(self, now_s: float, rows: int) -> None:
        """Note that the tables are whole; say so where anything was read."""
        self.rows, self.remaining, self.recovering = rows, 0, False
        if rows > self._rows_before:
            self._say(f"tables recovered: {self._done(now_s)}")

    def _measure(self, now_s: float, remaining: int) -> None:
        passed_s, done = now_s - self._seen_s, self.remaining - remaining
        self._seen_s = now_s
        if passed_s <= 0 or done <= 0:  # nothing moved, or it is known only now what remains
            return
        rate = done / passed_s
        before = rate if self._offsets_per_s is None else self._offsets_per_s
        self._offsets_per_s = before + SMOOTHING * (rate - before)

    def _done(self, now_s: float) -> str:
        read, took_s = self.rows - self._rows_before, max(now_s - self._began_s, 0.001)
        return f"{read:,} rows in {took_s:.1f} s, {read / took_s:,.0f} rows/s"

    def _left(self) -> str:
        to_go = f"{self.remaining:,} changelog offsets to go"
        if self._offsets_per_s is None:
            return f"{to_go}, time left unknown"
        return f"{to_go}, about {self.remaining / self._offsets_per_s:.0f} s left"
