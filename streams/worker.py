"""Run one worker process: check, build, serve metrics, go, and leave cleanly."""

import logging
import os
import signal
import threading
from typing import Any

import faust

from streams import admin, engine, garbage
from streams.app import build
from streams.health import serving
from streams.log_lines import say_on_stderr
from streams.metrics import Meter
from streams.models import first_model
from streams.recommend import warm_up
from streams.settings import Settings

LEFT_WITHIN_S = 15.0
"""How long a worker may take to leave, once it was told to."""

log = logging.getLogger(__name__)


class WorkerEnded(RuntimeError):
    """The worker could not go on; the message says why, the log has the details."""


def run(settings: Settings, *, attached: bool = False) -> int:
    """Run until a signal; return the exit code, 0 after SIGTERM or SIGINT.

    Args:
        settings: Of the worker.
        attached: Also stop when standard input ends, as it does when the parent dies.

    Raises:
        WorkerEnded: it failed; what it had not finished is delivered again.
        WrongTopics: the topics are missing or laid out differently.
        BrokerUnreachable: nobody answers at `settings.broker`.
        BadCheckpoint: the model's file is not one of ours.
        OSError: the data directory cannot be made, or the address for health is taken.
    """
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_, _leave)  # until Faust takes over
    if attached:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    say_on_stderr(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    admin.check(settings)
    engine.use_uvloop()
    model = first_model(settings.model)
    warm_up(model)  # before the group is joined: nobody waits for us yet
    garbage.calm()
    meter = Meter()
    app, condition = build(settings, model, meter)
    log.info("worker model=%s broker=%s", model.version, settings.broker)
    with serving(settings.metrics_host, settings.metrics_port, meter.registry, condition):
        return _run(app, settings)


class _Worker(faust.Worker):  # type: ignore[misc]  # faust ships no types
    async def stop(self) -> None:
        """Stop, within bounds: what is on its way to a Kafka that is gone has no end."""
        deadline = threading.Timer(LEFT_WITHIN_S, _leave_at_once)
        deadline.daemon = True
        deadline.start()
        await super().stop()


def _run(app: faust.App, settings: Settings) -> int:
    worker: Any = _Worker(
        app,
        loglevel=settings.log_level,
        override_logging=False,
        redirect_stdouts=False,
        quiet=True,
        console_port=None,
        debug=False,
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        reason = worker.crash_reason or ended.__context__
        if isinstance(reason, Exception):
            raise WorkerEnded(f"the worker ended: {reason}") from reason
        return ended.code if isinstance(ended.code, int) else 1
    return 0


def _leave(*_: object) -> None:
    """End a worker that has not begun: there is nothing to finish."""
    raise SystemExit(0)


def _stop_at_end_of_input() -> None:
    while os.read(0, 4096):  # not sys.stdin: its lock would outlive the interpreter's end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _leave_at_once() -> None:
    # Tables outlive a kill at any point.
    log.critical(
        "not everything was stored within %.0f s (does Kafka answer?); the rest is delivered again",
        LEFT_WITHIN_S,
    )
    os._exit(1)
