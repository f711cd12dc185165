"""What tests of every kind share."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).parents[1]

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


def run_python(code: str, environment: Mapping[str, str], within_s: float) -> str:
    """Run an example of the documentation as a program of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
