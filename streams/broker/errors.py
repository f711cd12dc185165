"""What can go wrong with a local Kafka, told with its cure."""

from pathlib import Path

TAIL_LINES = 15


class BrokerError(RuntimeError):
    """The local Kafka cannot be started, stopped or reached; the message says what to do."""


def tail(path: Path, lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log without Java's stack frames; "" where there is no log."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    said = [line for line in text.splitlines() if not line.startswith("\t")]
    return "\n".join(said[-lines:])
