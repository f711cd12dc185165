"""What tests of every kind share."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], within_s: float, every_s: float = 0.05) -> T:
    """Return the predicate's first true answer; fail with its last one when the time is up."""
    deadline = time.monotonic() + within_s
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s; the last answer was {answer!r}")
        time.sleep(every_s)
