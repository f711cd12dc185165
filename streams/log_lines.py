"""What a long-running command says of itself: one line an event, on standard error."""

import logging
import sys

from streams.repeats import Repeats
from streams.settings import Settings

CHATTY = ("kafka", "aiokafka", "faust", "mode")
"""Libraries that tell about every connection: only their warnings are for operators, and those
once in a while."""
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def say_on_stderr(settings: Settings) -> None:
    """Set logging up for the process."""
    logging.basicConfig(format=FORMAT, level=settings.log_level, stream=sys.stderr)
    for name in CHATTY:
        logging.getLogger(name).setLevel(
            max(logging.WARNING, logging.getLevelName(settings.log_level))
        )
    for handler in logging.getLogger().handlers:
        handler.addFilter(Repeats(CHATTY))
