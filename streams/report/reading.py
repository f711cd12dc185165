"""The topics of a period as one log: each partition in the order of the broker's time."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import merge
from operator import itemgetter
from typing import Any, NamedTuple, Self

from kafka import KafkaConsumer, TopicPartition

from features.events import Kind
from streams.admin import config_of
from streams.codec import BadEvent, decode_event, decode_recommendation
from streams.connecting import connected
from streams.report.walk import Entry, Forgotten, Gap
from streams.settings import Settings

_POLL_MS = 1_000
_RECORDS = 2_000  # a poll
_LOG_APPEND_TIME = 1  # the broker's, in Kafka's protocol


class TopicReader:
    """Reads parts of one topic.

    Args:
        settings: Broker and security.
        topic: Its name.
        counted: Called for each record.

    Attributes:
        partitions: Their numbers.
        broker_time: Whether all records so far carry the broker's time.

    Raises:
        ConnectionError: no broker answers.
        LookupError: the topic does not exist.
    """

    def __init__(self, settings: Settings, topic: str, counted: Callable[[], None]) -> None:
        self.broker_time = True
        self._settings = settings
        self._topic = topic
        self._counted = counted
        self._kafka: Any = connected(
            KafkaConsumer,
            settings,
            enable_auto_commit=False,
            auto_offset_reset="earliest",  # where Kafka deletes what was about to be read
            check_crcs=False,  # in pure Python half of all time; the broker and TCP check, too
        )
        numbers = self._kafka.partitions_for_topic(topic)
        if not numbers:
            self._kafka.close()
            raise LookupError(f"no topic {topic!r}; create it with: headrace topics create")
        self.partitions: Sequence[int] = sorted(numbers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kafka.close()

    def whole_from(self, now_ms: int) -> int:
        """Return the time from which on compaction has taken nothing, by the topic's settings.

        Before it gaps do not tell all: between two of them there are the lists of those who did not
        come back, and what these lists led to would be found to be nothing.
        """
        config = config_of(self._settings, self._topic)
        compacted = "compact" in config["cleanup.policy"].split(",")
        return max(0, now_ms - int(config["min.compaction.lag.ms"])) if compacted else 0

    def first_offset(self, number: int) -> int:
        """Return the offset of the oldest record that may be there; 0: none was ever deleted."""
        tp = TopicPartition(self._topic, number)
        return int(self._kafka.beginning_offsets([tp])[tp])

    def end_offset(self, number: int) -> int:
        """Return the offset that the next record will have."""
        tp = TopicPartition(self._topic, number)
        return int(self._kafka.end_offsets([tp])[tp])

    def offset_at(self, number: int, ts: int) -> int:
        """Return the offset of the first record of a time or later; the end where there is none."""
        tp = TopicPartition(self._topic, number)
        end = self.end_offset(number)  # asked first: what comes later is left out
        # Below 0 a time means something else to Kafka.
        found = self._kafka.offsets_for_times({tp: max(0, ts)})[tp]
        return end if found is None else min(end, int(found.offset))

    def first_ts(self, number: int) -> int | None:
        """Return the time of the oldest record; None for an empty partition."""
        tp = TopicPartition(self._topic, number)
        found = self._kafka.offsets_for_times({tp: 0})[tp]
        return None if found is None else int(found.timestamp)

    def records(self, number: int, start: int, end: int) -> Iterator[Any]:
        """Yield the records from one offset up to another, as far as they are there."""
        tp = TopicPartition(self._topic, number)
        self._kafka.assign([tp])
        self._kafka.seek(tp, start)
        # Compaction leaves gaps, so the position counts and not the number of records.
        while start < end and self._kafka.position(tp) < end:
            for batch in self._kafka.poll(_POLL_MS, max_records=_RECORDS).values():
                for record in batch:
                    if record.offset >= end:
                        return
                    self._counted()
                    self.broker_time &= record.timestamp_type == _LOG_APPEND_TIME
                    yield record


Refused = Callable[[int, str, str], None]
"""Told the time, the reason and the problem of a record that is not one of ours."""


class Part(NamedTuple):
    """A partition, from one time up to another."""

    number: int
    begin: int
    end: int


def entries(
    readers: Mapping[Kind, TopicReader],
    lists: TopicReader,
    part: Part,
    *,
    domains: Collection[str],
    refused: Refused,
) -> Iterator[Entry]:
    """Yield what a partition holds, in the order of time.

    Of equal times events come first: a list cannot have been seen in the ms in which it was made.
    """
    events = [
        _events(reader, kind, part, domains=domains, refused=refused)
        for kind, reader in readers.items()
    ]
    return merge(*events, with_gaps(lists, part), key=itemgetter(0))


def _events(
    reader: TopicReader, kind: Kind, part: Part, *, domains: Collection[str], refused: Refused
) -> Iterator[Entry]:
    number = part.number
    start, stop = reader.offset_at(number, part.begin), reader.offset_at(number, part.end)
    for record in reader.records(number, start, stop):
        ts = int(record.timestamp)
        try:
            event = decode_event(kind, record.key, record.value, ts, domains=domains)
        except BadEvent as error:
            place = f"{record.topic}-{number}, offset {record.offset}"
            refused(ts, error.reason, f"{place}: {error}")
        else:
            yield ts, event


def with_gaps(reader: TopicReader, part: Part) -> Iterator[Entry]:
    """Yield the lists of a partition, and where some are missing.

    Offsets are dense when they are written, so one that is not there was compacted or deleted. The
    record before the first tells whether there is a gap right before the period.
    """
    number = part.number
    first = reader.first_offset(number)
    start, stop = reader.offset_at(number, part.begin), reader.offset_at(number, part.end)
    known = max(first, start - 1)  # the next offset, if nothing is missing
    before = 0
    blind = first > 0 and start <= first
    for record in reader.records(number, known, stop):
        ts, missing = int(record.timestamp), record.offset - known
        if missing or blind:
            yield before, Gap(ts, missing if known >= start else 0)
        known, before, blind = record.offset + 1, ts, False
        if record.offset >= start:
            entry = _list(record)
            if entry is not None:
                yield entry
    if known < stop or blind:
        yield before, Gap(part.end, max(0, stop - max(known, start)))


def _list(record: Any) -> Entry | None:
    ts = int(record.timestamp)
    if record.value is None:
        return ts, Forgotten((record.key or b"").decode(errors="replace"))
    try:
        return ts, decode_recommendation(record.value)
    except BadEvent:  # nobody but workers writes there; what is no list was shown to nobody
        return None
