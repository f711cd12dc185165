"""A contestant's process, watched from outside: processor time, memory, disk, offsets."""

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from bench.contestants.job import Job
from bench.machine import size_mb
from bench.site import Site

ROOT = Path(__file__).parents[1]
QUIX_PYTHON = ROOT / ".headrace" / "quix" / "bin" / "python"
NAMES = ("stock", "ours", "quix", "bare")
STOP_S = 20.0


class ContestantEnded(RuntimeError):
    """A contestant's process is gone before its work was done."""


class Contestant:
    """A running contestant. As a context manager it ends with the block, by force if need be."""

    def __init__(self, name: str, job: Job) -> None:
        self.name = name
        self.job = job
        self.log = Path(job.data_dir).with_name("log")
        self.rss_mb = 0.0  # the most that was seen

    def __enter__(self) -> Self:
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [_python(self.name), "-m", f"bench.contestants.{self.name}", self.job.encode()],
                cwd=ROOT,
                env=_environment(),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self._inside = psutil.Process(self._process.pid)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Return the processor time of all its threads so far; notes its memory as well.

        Raises:
            ContestantEnded: with the end of its log.
        """
        if self._process.poll() is not None:
            tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise ContestantEnded(f"{self.name} ended with {self._process.returncode}:\n{tail}")
        times = self._inside.cpu_times()
        self.rss_mb = max(self.rss_mb, self._inside.memory_info().rss / 2**20)
        return float(times.user + times.system)

    def state_mb(self) -> float:
        """Return what its state takes on disk."""
        return size_mb(Path(self.job.data_dir))


def _python(name: str) -> str:
    if name != "quix":
        return sys.executable
    if not QUIX_PYTHON.exists():
        raise FileNotFoundError(f"{QUIX_PYTHON} is missing: run `make venv`")
    return str(QUIX_PYTHON)


def _environment() -> Mapping[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def scratch(name: str) -> tempfile.TemporaryDirectory[str]:
    """Return a directory that goes when its block ends."""
    return tempfile.TemporaryDirectory(prefix=f"headrace-bench-{name}-", ignore_cleanup_errors=True)


@asynccontextmanager
async def job_alone(
    site: Site,
    name: str,
    source: str | None,
    *,
    output: bool,
    commit_s: float = 1.0,
    prompt: bool = False,
) -> AsyncIterator[Job]:
    """Yield a job whose group, topics and directory are its own, and go when the block ends.

    Args:
        site: where the topics are.
        name: of the contestant.
        source: a topic that there is; None makes one.
        output: whether it has an output topic.
        commit_s: how often it commits.
        prompt: rather early than many at once.
    """
    group = f"bench-{name}-{uuid.uuid4().hex[:8]}"
    events, changelog, answers = (f"{group}.{what}" for what in ("events", "rows", "answers"))
    await site.create(changelog, compacted=True)
    if source is None:
        await site.create(events)
    if output:
        await site.create(answers)
    try:
        with scratch(name) as directory:
            yield Job(
                broker=site.broker,
                group=group,
                source=source or events,
                changelog=changelog,
                output=answers if output else None,
                data_dir=str(Path(directory) / "state"),
                commit_s=commit_s,
                prompt=prompt,
            )
    finally:
        await site.delete(group)
