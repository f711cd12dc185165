"""Records that are not ours: kept untouched, with headers that say where from and why."""

from streams.engine.batch import Record
from streams.topics import LETTER_HEADERS

Letter = tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]
REASON_BYTES = 1000
"""Most of a reason that a header carries; a hostile record must not make a huge one."""


def dead_letter(record: Record, reason: str, explanation: str, now_ms: int) -> Letter:
    """Return the record with headers that say where it was, what is wrong with it, and when.

    Args:
        record: As it was read.
        reason: One of `streams.codec.REASONS`.
        explanation: For a person.
        now_ms: Wall clock.
    """
    headers = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "reason": reason,
        "explanation": explanation[:REASON_BYTES],
        "time": str(now_ms),
    }
    ours = tuple((f"{LETTER_HEADERS}{name}", value.encode()) for name, value in headers.items())
    return record.key, record.value, (*record.headers, *ours)
