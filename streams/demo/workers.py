"""A worker in a process of its own, watched through the metrics that it serves."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from streams.settings import PREFIX, Settings

STOP_WITHIN_S = 20.0
READY_WITHIN_S = 60.0


class WorkerFailed(RuntimeError):
    """The worker ended, or does not get on; the message shows what it said last."""


class WorkerProcess:
    """Runs `headrace worker`; it ends with this object, or with this process however that ends.

    Args:
        settings: For the worker; it must serve metrics (`metrics_port`).
        log: Where the worker's own words go.
        program: The module to run; its command line is ours.

    Attributes:
        address: Where it serves metrics.
    """

    def __init__(self, settings: Settings, log: Path, program: str = "streams") -> None:
        self._program = program
        self._settings = settings
        self._log = log
        self.address = f"{settings.metrics_host}:{settings.metrics_port}"
        self._url = f"http://{self.address}/metrics"

    def __enter__(self) -> Self:
        environment = {k: v for k, v in os.environ.items() if not k.upper().startswith(PREFIX)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603  a module of ours
                [sys.executable, "-m", self._program, "worker", "--attached"],
                env=environment | as_environment(self._settings),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C at the terminal is ours to handle
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def kill(self) -> None:
        """End the worker without a chance to tidy up, as a crash does."""
        self._process.kill()
        self._process.wait()

    def let_go(self) -> None:
        """Close the worker's input, as our death would."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, within_s: float) -> int:
        """Wait until the worker has ended; return its exit code."""
        return self._process.wait(within_s)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def counters(self) -> dict[str, float]:
        """Return each counter summed over its labels; nothing until the worker answers.

        Raises:
            WorkerFailed: the worker has ended.
        """
        if self._process.poll() is not None:
            raise WorkerFailed(f"the worker ended with {self._process.returncode}:\n{self._tail()}")
        try:
            with urllib.request.urlopen(self._url, timeout=5) as answer:  # noqa: S310  our own
                text = answer.read().decode()
        except OSError:
            return {}
        totals: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.endswith("_total"):
                    totals[sample.name] = totals.get(sample.name, 0.0) + sample.value
        return totals

    def wait_until(self, counter: str, least: float, within_s: float) -> None:
        """Wait until a counter has reached a value.

        Raises:
            WorkerFailed: it does not by the deadline, or the worker ends.
        """
        deadline = time.monotonic() + within_s
        while (value := self.counters().get(counter, 0.0)) < least:
            if time.monotonic() > deadline:
                raise WorkerFailed(
                    f"{counter} is {value:.0f} after {within_s:.0f} s, expected {least:.0f}:\n"
                    f"{self._tail()}"
                )
            time.sleep(0.1)

    def _tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-40:])


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that make another process read the same settings."""
    given = settings.model_dump(exclude_unset=True, exclude_none=True)
    return {f"{PREFIX}{name.upper()}": _text(value) for name, value in given.items()}


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return json.dumps(value) if isinstance(value, dict) else str(value)
