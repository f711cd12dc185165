"""How far the recovery of tables is: for a line in the log now and then, and for metrics."""

from collections.abc import Callable

LOG_EVERY_S = 5.0
SMOOTHING = 0.3  # weight of the newest second in the rate that the time left is told by


class Progress:
    """Follows one recovery after the other, fed with what is true now.

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
        self._offsets_per_s = 0.0

    def see(self, now_s: float, *, recovering: bool, rows: int, remaining: int) -> None:
        """Take note; say a line at the end of a recovery, and at most every few seconds before.

        Args:
            now_s: Of a clock that never goes back.
            recovering: Whether tables are being read back.
            rows: Rows read back so far, ever.
            remaining: Changelog offsets still to read.
        """
        if recovering and not self.recovering:
            self._began_s = self._said_s = self._seen_s = now_s
            self._rows_before, self._offsets_per_s = self.rows, 0.0
        elif recovering:
            self._measure(now_s, remaining)
            if now_s - self._said_s >= LOG_EVERY_S:
                self._said_s = now_s
                self._say(self._line(now_s, rows, remaining))
        elif self.recovering:
            self._end(now_s, rows)
        self.recovering, self.rows, self.remaining = recovering, rows, remaining

    def _measure(self, now_s: float, remaining: int) -> None:
        passed_s, done = now_s - self._seen_s, self.remaining - remaining
        if passed_s > 0 and done >= 0:  # a rebalance may add to what remains
            rate = done / passed_s
            first = not self._offsets_per_s
            self._offsets_per_s += (1.0 if first else SMOOTHING) * (rate - self._offsets_per_s)
        self._seen_s = now_s

    def _line(self, now_s: float, rows: int, remaining: int) -> str:
        read, took_s = rows - self._rows_before, now_s - self._began_s
        left = (
            f"about {remaining / self._offsets_per_s:.0f} s left"
            if self._offsets_per_s
            else "time left unknown"
        )
        return (
            f"recovering tables: {read:,} rows in {took_s:.0f} s, {read / took_s:,.0f} rows/s, "
            f"{remaining:,} changelog offsets to go, {left}"
        )

    def _end(self, now_s: float, rows: int) -> None:
        read = rows - self._rows_before
        if read:
            took_s = now_s - self._began_s
            rate = f", {read / took_s:,.0f} rows/s" if took_s else ""
            self._say(f"tables recovered: {read:,} rows in {took_s:.1f} s{rate}")
