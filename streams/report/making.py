"""The report of a running installation: every topic of a period read once, in bounded memory."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack

from msgspec.structs import replace

from features.events import Event, Kind
from features.item import decode_item, domain_of
from streams.clock import now_ms
from streams.partitions import partition_of
from streams.quality.measure import Measure
from streams.quality.result import Invalid, Quality
from streams.report.facts import Facts
from streams.report.period import Period
from streams.report.reading import Part, TopicReader, entries
from streams.report.result import Report, Sight
from streams.report.screen import WITHIN_MS
from streams.report.summing import report, told
from streams.report.tally import Tally
from streams.report.walk import Entry, Gap, Walk
from streams.settings import Settings
from streams.topics import LETTER_REASON

LENGTHS = (1, 5, 10)
"""At which lists are judged, beside their full length."""

Opened = Callable[[str], TopicReader]


def make_report(settings: Settings, period: Period, counted: Callable[[], None]) -> Report:
    """Read what the topics hold of a period, and of the one before, and tell of it.

    Args:
        settings: Broker, security, topic names, domains and length of lists.
        period: What is reported on.
        counted: Called for each record.

    Raises:
        ConnectionError: no broker answers.
        LookupError: a topic does not exist, or none has an event of the period.
    """
    with ExitStack() as stack:

        def opened(topic: str) -> TopicReader:
            return stack.enter_context(TopicReader(settings, topic, counted))

        return _Making(settings, period, opened).report()


class _Making:
    def __init__(self, settings: Settings, period: Period, opened: Opened) -> None:
        topics = settings.topics
        self._events = dict(zip(Kind, map(opened, topics.events), strict=True))
        self._lists = opened(topics.recommendations)
        self._items = opened(topics.item_state)
        self._letters = opened(topics.dead_letters)
        self._settings = settings
        self._domains = tuple(settings.domains)
        ks = tuple(sorted({k for k in LENGTHS if k < settings.k} | {settings.k}))
        self._now = Tally(period, ks, self._domains)
        self._before = Tally(period.before, ks, self._domains)
        self._facts = Facts(self._domains)
        self._measure = Measure()
        self._whole_from = self._lists.whole_from(now_ms())

    def report(self) -> Report:
        period, settings = self._now.period, self._settings
        data_from, whole = self._reach()
        if data_from is None or data_from >= period.end:
            since = "none at all" if data_from is None else f"from {period.clock(data_from)} on"
            raise LookupError(
                f"{settings.broker}: no event from {period.words}; Kafka has events {since}: "
                "choose --from and --to within"
            )
        self._learn_items()
        walk = Walk((self._before, self._now), self._facts, self._domains)
        for number in self._lists.partitions:
            walk.partition(self._noted(number))
        if not self._now.events.any():
            raise LookupError(
                f"{settings.broker}: no event from {period.words}, though Kafka has events from "
                f"{period.clock(data_from)} on: choose another --from and --to"
            )
        for tally in (self._before, self._now):
            tally.dead_letters = self._refusals(tally.period)
        before = self._before if whole and self._before.events.any() else None
        return report(
            self._now,
            before,
            source=f"{settings.broker}, {settings.topic_prefix or settings.app_id}",
            catalogue=len(self._facts),
            titles=self._titles(told(self._now, before)),
            quality=_nameless(self._measure.quality(settings.broker)),
            sight=self._sight(data_from, walk.followed),
        )

    def _reach(self) -> tuple[int | None, bool]:
        """Return the time of the oldest event, and whether the period before is there whole."""
        firsts = [
            (reader.first_ts(number), reader.first_offset(number))
            for reader in self._events.values()
            for number in reader.partitions
        ]
        known = [ts for ts, _ in firsts if ts is not None]
        lost = [ts for ts, offset in firsts if offset]
        begin = self._before.period.begin
        return min(known, default=None), all(ts is not None and ts <= begin for ts in lost)

    def _noted(self, number: int) -> Iterator[Entry]:
        """Yield what a partition holds; let its events of the period be looked at, too."""
        yield 0, Gap(self._whole_from, 0)
        part = Part(number, self._before.period.begin - WITHIN_MS, self._now.period.end)
        holds, place = self._now.period.holds, str(number)

        def refused(ts: int, reason: str, problem: str) -> None:
            if holds(ts):
                self._measure.refused(reason, problem)

        found = entries(self._events, self._lists, part, domains=self._domains, refused=refused)
        for ts, what in found:
            if isinstance(what, Event) and holds(ts):
                self._measure.event(what, f"{what.kind.name.lower()}-{place}")
            yield ts, what

    def _learn_items(self) -> None:
        for item_id, value in self._rows(self._items.partitions):
            if value is None:
                self._facts.remove(item_id)
                continue
            row = decode_item(value)
            if row.deleted:
                self._facts.remove(item_id)
            else:
                self._facts.put(item_id, row.first_seen, domain_of(row))

    def _titles(self, item_ids: Collection[str]) -> dict[str, str]:
        """Return what the catalogue calls the items, as far as it does."""
        count = len(self._items.partitions)
        titles = {}
        for item_id, value in self._rows({partition_of(one, count) for one in item_ids}):
            if item_id in item_ids and value is not None:
                entry = decode_item(value).item
                if entry is not None and entry.title:
                    titles[item_id] = entry.title
        return titles

    def _rows(self, numbers: Iterable[int]) -> Iterator[tuple[str, bytes | None]]:
        """Yield item rows as they are now; the newest of an item is the last."""
        for number in numbers:
            end = self._items.end_offset(number)
            for record in self._items.records(number, self._items.first_offset(number), end):
                yield record.key.decode(), record.value

    def _refusals(self, period: Period) -> Counter[str]:
        """Count the dead letters of a period by reason."""
        reader, found = self._letters, Counter[str]()
        for number in reader.partitions:
            start, stop = (reader.offset_at(number, ts) for ts in (period.begin, period.end))
            for record in reader.records(number, start, stop):
                headers = dict(record.headers)
                found[headers.get(LETTER_REASON, b"unknown").decode(errors="replace")] += 1
        return found

    def _sight(self, data_from: int, followed: int) -> Sight:
        now = self._now
        read = int(now.lists.sum())
        return Sight(
            data_from=data_from,
            whole_from=self._whole_from,
            lists_read=read,
            lists_missing=now.missing,
            touches=int(now.events[:, [Kind.CLICK, Kind.PURCHASE]].sum()),
            judged=int(now.judged.sum()),
            followed=followed,
            users_exact=now.users.scale == 1,
            items_exact=now.items.scale == 1,
            top_exact=all(one.exact for one in now.touched.values()),
            broker_time=self._lists.broker_time
            and all(reader.broker_time for reader in self._events.values()),
        )


def _nameless(quality: Quality) -> Quality:
    """Leave out ids of users and what was quoted: a report goes from hand to hand."""
    refused = tuple(Invalid(one.reason, one.count, ()) for one in quality.invalid)
    return replace(quality, bursts=(), invalid=refused)
