"""Libraries that say the same thing a hundred times a second are heard once in a while."""

import logging
import time
from collections.abc import Callable


class Repeats(logging.Filter):
    """Lets a message of a library through once per period, and tells how often it came meanwhile.

    Messages are the same where their logger and their text before formatting are: an address or
    an error's words make no difference.

    Args:
        libraries: loggers by name, with all below them; others pass always.
        every_s: length of a period.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        libraries: tuple[str, ...],
        every_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._libraries = libraries
        self._every_s = every_s
        self._clock = clock
        # By message: when it was let through last, and how often it was not since. As many as
        # there are places in the libraries' code that log.
        self._heard: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether to let a record through; may add to its text."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        message, now = (record.name, str(record.msg)), self._clock()
        last, withheld = self._heard.get(message, (float("-inf"), 0))
        if now - last < self._every_s:
            self._heard[message] = (last, withheld + 1)
            return False
        self._heard[message] = (now, 0)
        if withheld:
            record.msg = f"{record.msg} (and {withheld} times before)"
        return True
