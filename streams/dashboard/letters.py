"""A look at the newest dead letters: what came, why it was refused, and where it lies."""

import time
from collections import Counter
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from msgspec import Struct

from streams.connecting import connected
from streams.settings import Settings
from streams.topics import LETTER_HEADERS, LETTER_REASON

MOST = 200
"""Letters that are read; those shown are the newest of each partition."""
SHOWN_BYTES = 2_000
"""Of a value or a header: a hostile record must not fill the page."""
_HEADERS = 20
_BYTES = 8_000_000  # read for one look at most
_WITHIN_S = 8.0
_POLL_MS = 500


class Letter(Struct, frozen=True, kw_only=True):
    """One of them.

    Attributes:
        partition, offset: Where the letter lies.
        at: When it was written, ms.
        reason, explanation: Why it is one.
        source: Where the record came from, as `topic[partition]@offset`.
        key, value: As text; None for none.
        form: What the value was: text, MessagePack or bytes.
        size_bytes: Of the value, which may be more than is shown.
        headers: Those that the record came with.
    """

    partition: int
    offset: int
    at: int
    reason: str
    explanation: str
    source: str
    key: str | None
    value: str | None
    form: str
    size_bytes: int
    headers: tuple[tuple[str, str], ...]


class Letters(Struct, frozen=True, kw_only=True):
    """Those that were read, the newest first.

    Attributes:
        held: How many the topic holds.
        reasons: How many of those read there are of each reason.
    """

    held: int
    reasons: dict[str, int]
    letters: tuple[Letter, ...]


def newest_letters(settings: Settings) -> Letters:
    """Read the end of the topic.

    Raises:
        ConnectionError: no broker answers.
    """
    consumer = connected(
        KafkaConsumer, settings, enable_auto_commit=False, fetch_max_bytes=_BYTES // 4
    )
    try:
        topic = settings.topics.dead_letters
        numbers = consumer.partitions_for_topic(topic) or ()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        ends = consumer.end_offsets(partitions)
        begins = consumer.beginning_offsets(partitions)
        filled = [tp for tp in partitions if ends[tp] > begins[tp]]
        each = max(1, MOST // max(1, len(filled)))
        consumer.assign(filled)
        for tp in filled:
            consumer.seek(tp, max(begins[tp], ends[tp] - each))
        found = sorted(map(_letter, _read(consumer, {tp: ends[tp] for tp in filled})), key=_age)
        return Letters(
            held=sum(ends[tp] - begins[tp] for tp in partitions),
            reasons=dict(Counter(letter.reason for letter in found).most_common()),
            letters=tuple(found[:MOST]),
        )
    except KafkaError as error:
        raise ConnectionError(f"{settings.broker}: {error}") from error
    finally:
        consumer.close()


def _age(letter: Letter) -> tuple[int, int]:
    return -letter.at, -letter.offset


def _read(consumer: Any, ends: dict[TopicPartition, int]) -> list[Any]:
    """Return the records before the ends, as many as the limits of time and bytes let through."""
    found: list[Any] = []
    size, give_up = 0, time.monotonic() + _WITHIN_S
    while ends and size < _BYTES and time.monotonic() < give_up:
        for records in consumer.poll(_POLL_MS).values():
            found += records
            size += sum(len(record.value or b"") for record in records)
        ends = {tp: end for tp, end in ends.items() if consumer.position(tp) < end}
    return found


def _letter(record: Any) -> Letter:
    headers = [(name, value or b"") for name, value in record.headers]
    ours = {name: _text(value) for name, value in headers if name.startswith(LETTER_HEADERS)}
    theirs = [(name, value) for name, value in headers if not name.startswith(LETTER_HEADERS)]
    value, form = shown(record.value)
    return Letter(
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp,
        reason=ours.get(LETTER_REASON, ""),
        explanation=ours.get(f"{LETTER_HEADERS}explanation", ""),
        source=_source(ours),
        key=None if record.key is None else _text(record.key),
        value=value,
        form=form,
        size_bytes=len(record.value or b""),
        headers=tuple((name[:SHOWN_BYTES], _text(one)) for name, one in theirs[:_HEADERS]),
    )


def _source(ours: dict[str, str]) -> str:
    topic, partition, offset = (
        ours.get(f"{LETTER_HEADERS}{name}", "?") for name in ("topic", "partition", "offset")
    )
    return f"{topic}[{partition}]@{offset}"


def shown(value: bytes | None) -> tuple[str | None, str]:
    """Return a value as text that a person can read, and what it was."""
    if value is None:
        return None, "nothing"
    try:
        return value[:SHOWN_BYTES].decode(errors=_cut(value)), "text"
    except UnicodeDecodeError:
        pass
    try:
        told = msgspec.json.encode(msgspec.msgpack.decode(value[: 2 * SHOWN_BYTES]))
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return value[: SHOWN_BYTES // 4].hex(" "), "bytes"
    return told[:SHOWN_BYTES].decode(errors="ignore"), "MessagePack"


def _cut(value: bytes) -> str:
    """Return how to decode: a character that the cut went through is no error."""
    return "ignore" if len(value) > SHOWN_BYTES and _is_text(value) else "strict"


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(value: bytes) -> str:
    return value[:SHOWN_BYTES].decode(errors="backslashreplace")
