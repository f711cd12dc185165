"""Where a worker stands, for the log of a test that it keeps waiting."""

import asyncio
import faulthandler
import inspect
import signal
from collections.abc import Iterator
from typing import Any

ASK = signal.Signals.SIGRTMIN + 1
STANDS = "-- tasks and what they await"


def tell_when_asked() -> None:
    """On `ASK` log every task of every loop; on SIGABRT every thread, and end."""
    faulthandler.enable()
    signal.signal(ASK, _tell)


def _tell(*_: object) -> None:
    lines = [STANDS]
    for task in list(asyncio.tasks._all_tasks):  # type: ignore[attr-defined]  # of all loops
        if not task.done():
            lines += [
                f"{task.get_name()}:",
                *(f"    {place}" for place in _awaits(task.get_coro())),
            ]
    print(*lines, "--", sep="\n", flush=True)  # noqa: T201  the log of this process


def _awaits(awaited: Any) -> Iterator[str]:
    """Name the places of a chain of coroutines, the outermost first, and what the last awaits."""
    while inspect.iscoroutine(awaited):
        frame: Any = awaited.cr_frame
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
        awaited = awaited.cr_await
    if awaited is not None:
        yield repr(awaited)
