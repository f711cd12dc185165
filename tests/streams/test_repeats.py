"""What a library repeats is heard once per period, what anybody else says always."""

import logging

from streams.repeats import Repeats


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def test_the_same_message_is_heard_once_per_period_and_counted() -> None:
    now = 0.0
    heard = Heard()
    heard.addFilter(Repeats(("chatty",), every_s=10, clock=lambda: now))
    chatty, ours = logging.getLogger("chatty.client"), logging.getLogger("ours")
    for logger in (chatty, ours):
        logger.addHandler(heard)
        logger.propagate = False
    for tick in range(25):
        now = float(tick)
        chatty.error("node %s is gone: %s", tick % 3, "refused")
        chatty.error("something else")
        ours.error("mine %d", tick)
    assert [line for line in heard.lines if line.startswith("node")] == [
        "node 0 is gone: refused",
        "node 1 is gone: refused (and 9 times before)",
        "node 2 is gone: refused (and 9 times before)",
    ]
    assert sum(line.startswith("something else") for line in heard.lines) == 3
    assert sum(line.startswith("mine") for line in heard.lines) == 25
