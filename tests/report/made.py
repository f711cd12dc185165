"""Logs that never were: events and lists of a partition, in the order of the broker's time."""

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from features.events import Click, Event, Purchase, Search
from features.shown import answer_to
from streams.lists import Recommendation, RecommendedItem, Trigger
from streams.report.facts import Facts
from streams.report.period import Period
from streams.report.reading import Part, TopicReader, with_gaps
from streams.report.screen import WITHIN_MS
from streams.report.tally import Tally
from streams.report.walk import Entry, Walk

START = 1_700_000_000_000
KS = (1, 3)
SHOP = ("shop",)
ITEMS = "abcdef"
LENGTH_MS = 6 * WITHIN_MS


def made_for(event: Event, items: Sequence[str], model: str = "m") -> Recommendation:
    """Return the list that answers an event."""
    return Recommendation(
        rec_id=answer_to(event).rec_id,
        user_id=event.user_id,
        surface="search" if isinstance(event, Search) else "for_you",
        trigger=Trigger(type=event.kind.name.lower(), event_id=event.event_id),
        generated_at=event.ts,
        event_ts=event.ts,
        model_version=model,
        items=tuple(
            RecommendedItem(item_id=item, score=0.5 / rank, rank=rank)
            for rank, item in enumerate(items, 1)
        ),
        domain="shop",
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Events of three users, most of them answered a moment later."""
    entries: list[Entry] = []
    ts, searches = START, ["none"]
    for number in range(draw(st.integers(1, 25))):
        ts += draw(st.sampled_from((1, 1_000, WITHIN_MS // 3, WITHIN_MS, WITHIN_MS + 1)))
        about: dict[str, Any] = {
            "event_id": f"e{number}",
            "user_id": draw(st.sampled_from(("ann", "bob", "cy"))),
            "ts": ts,
        }
        item = draw(st.sampled_from(ITEMS))
        event: Event
        match draw(st.sampled_from(("click", "found", "buy", "search"))):
            case "click":
                event = Click(**about, item_id=item)
            case "found":
                event = Click(**about, item_id=item, search_id=draw(st.sampled_from(searches)))
            case "buy":
                event = Purchase(**about, item_id=item, price=2.0, currency="EUR")
            case _:
                event = Search(**about, query="q")
                searches.append(event.event_id)
        entries.append((ts, event))
        if draw(st.integers(0, 4)):
            items = draw(st.lists(st.sampled_from(ITEMS), max_size=4, unique=True))
            wait = draw(st.sampled_from((0, 5, WITHIN_MS // 2)))
            entries.append((ts + wait, made_for(event, items)))
    return sorted(entries, key=lambda one: (one[0], isinstance(one[1], Recommendation)))


class Kept(TopicReader):
    """A topic of lists, some of which were compacted away.

    Args:
        lists: As they were written, (time, list).
        gone: Offsets of those that are there no more.
    """

    def __init__(self, lists: Sequence[Entry], gone: frozenset[int] = frozenset()) -> None:
        self.lists, self.gone = lists, gone

    def first_offset(self, number: int) -> int:
        del number
        return 0

    def offset_at(self, number: int, ts: int) -> int:
        del number
        there = (n for n, one in enumerate(self.lists) if one[0] >= ts and n not in self.gone)
        return next(there, len(self.lists))

    def records(self, number: int, start: int, end: int) -> Iterator[Any]:
        del number
        for offset in range(start, end):
            if offset not in self.gone:
                yield _Record(offset, *self.lists[offset])


class _Record:
    def __init__(self, offset: int, ts: int, made: object) -> None:
        from streams.codec import encode_recommendation

        assert isinstance(made, Recommendation)
        self.offset, self.timestamp = offset, ts
        self.key, self.value = made.user_id.encode(), encode_recommendation(made)


def whole(log: Sequence[Entry]) -> Period:
    """Return a period that holds a log."""
    return Period(START, max(START + LENGTH_MS, log[-1][0] + 1))


def tallied(log: Sequence[Entry], *periods: Period) -> list[Tally]:
    """Return what is counted of a log, by period."""
    tallies = [Tally(one, KS, SHOP) for one in periods]
    Walk(tallies, Facts(SHOP), SHOP).partition(log)
    return tallies


def compacted(log: Sequence[Entry], gone: frozenset[int], period: Period) -> list[Entry]:
    """Return the log as it is read once some of its lists are gone."""
    lists = [one for one in log if isinstance(one[1], Recommendation)]
    events = [one for one in log if not isinstance(one[1], Recommendation)]
    kept = with_gaps(Kept(lists, gone), Part(0, period.begin - WITHIN_MS, period.end))
    return sorted([*events, *kept], key=lambda one: one[0])
