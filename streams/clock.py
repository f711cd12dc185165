"""The time of day, read in one place; everything below the shell is told it."""

import time


def now_ms() -> int:
    """Return the time in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000
