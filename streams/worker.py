"""Run one worker process: check, build, serve metrics, go, and leave cleanly."""

import logging
import sys
from typing import Any

import faust

from ranker.model import Model
from streams import admin, engine
from streams.app import build
from streams.metrics import Meter
from streams.settings import Settings

CHATTY = ("kafka", "aiokafka", "faust", "mode")
"""Libraries that tell about every connection: only their warnings are for operators."""
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"

log = logging.getLogger(__name__)


def run(settings: Settings) -> int:
    """Run until a signal or a failure; return the exit code, 0 after SIGTERM or SIGINT.

    Raises:
        WrongTopics: the topics are missing or laid out differently.
        BrokerUnreachable: nobody answers at `settings.broker`.
        BadCheckpoint: the model's file is not one of ours.
    """
    logging.basicConfig(format=LOG_FORMAT, level=settings.log_level, stream=sys.stderr)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    admin.check(settings)
    engine.use_uvloop()
    model = Model() if settings.model is None else Model.load(settings.model.read_bytes())
    meter = Meter()
    app = build(settings, model, meter)
    server = meter.serve(settings.metrics_host, settings.metrics_port) if settings.metrics_port else None
    log.info("worker model=%s broker=%s", model.version, settings.broker)
    try:
        return _run(app, settings)
    finally:
        if server is not None:
            server[0].shutdown()


def _run(app: faust.App, settings: Settings) -> int:
    worker: Any = faust.Worker(
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
        return ended.code if isinstance(ended.code, int) else 1
    return 0
