"""Jobs that take their time, beside the event loop."""

import logging
from collections.abc import Callable
from threading import Thread

log = logging.getLogger(__name__)


def in_background(job: Callable[[], None]) -> None:
    """Run a job in a thread of its own, which does not keep the process from ending.

    One that fails is logged: what waits for it goes on without it.
    """
    Thread(target=_run, args=(job,), name="aside", daemon=True).start()


def _run(job: Callable[[], None]) -> None:
    try:
        job()
    except Exception:
        log.exception("a job in the background has failed; lists are made without its result")
