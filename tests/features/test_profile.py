"""A user row is a fold, and says what a recomputation over all its events says."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import log
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from features.affinity import MAX_NAMES, price_band
from features.decay import HOUR_MS
from features.events import Click, Event, Kind, Purchase, Search
from features.guard import MAX_IDS, NO_RULES, Rules, Verdict
from features.profile import (
    HALF_LIVES_MS,
    MAX_QUERIES,
    SKIPPED,
    Profile,
    Query,
    decode_profile,
    encode_profile,
    judge,
    learn,
    new_profile,
    take,
)
from features.session import SESSION_GAP_MS, Session
from features.shown import Shown
from features.touches import MAX_TOUCHES, Touch
from features.windows import totals
from tests.features.strategies import DAY, MINUTE, START, events, fresh_events, short_or_long
from tests.features.test_affinity import check_leaning
from tests.features.test_what_counts import verdict_on
from tests.features.test_windows import recomputed


@dataclass
class Log:
    """Every event that counted, in order of arrival: what a row is recomputed from."""

    rules: Rules = NO_RULES
    fresh: list[Event] = field(default_factory=list)
    ids: list[tuple[Kind, str]] = field(default_factory=list)
    applied: dict[int, int] = field(default_factory=dict)
    skipped: Counter[Verdict] = field(default_factory=Counter)

    def take(self, event: Event, source: int, offset: int) -> None:
        if offset <= self.applied.get(source, -1):
            return
        self.applied[source] = offset
        one = (event.kind, event.event_id)
        if one in self.ids[-MAX_IDS:]:
            self.skipped[Verdict.REPEATED] += 1
            return
        self.ids.append(one)
        if self.has_twin(event):
            self.skipped[Verdict.TWIN] += 1
        elif self.is_flood(event):
            self.skipped[Verdict.FLOOD] += 1
        else:
            self.fresh.append(event)

    def has_twin(self, event: Event) -> bool:
        if not self.rules.repeat_ms:
            return False
        searches = isinstance(event, Search)
        alike = [past for past in self.fresh if isinstance(past, Search) is searches]
        kept = sorted(alike, key=lambda past: past.ts)[
            -(MAX_QUERIES if searches else MAX_TOUCHES) :
        ]
        return any(
            act_of(past) == act_of(event) and abs(past.ts - event.ts) <= self.rules.repeat_ms
            for past in kept
        )

    def is_flood(self, event: Event) -> bool:
        times = self.of(event.kind)
        newest = max(times, default=0)

        def within(width: int, buckets: int) -> int:
            if newest // width - event.ts // width >= buckets:
                return 0  # left behind
            return sum(ts // width == event.ts // width for ts in times)

        few, many = self.rules.per_5_minutes, self.rules.per_day
        return 0 < few <= within(5 * MINUTE, 12) or 0 < many <= within(DAY, 30)

    def of(self, kind: Kind) -> list[int]:
        return [event.ts for event in self.fresh if event.kind is kind]


def act_of(event: Event) -> tuple[Kind, str]:
    return event.kind, event.query.casefold() if isinstance(event, Search) else event.item_id


def session_of(times: list[int]) -> Session:
    if not times:
        return Session()
    cuts = [later for earlier, later in pairwise(times) if later - earlier > SESSION_GAP_MS]
    start = cuts[-1] if cuts else times[0]
    return Session(start, times[-1], sum(ts >= start for ts in times))


def check(row: Profile, log_: Log) -> None:
    """Compare every field with its definition over all events."""
    by_time = sorted(log_.fresh, key=lambda event: event.ts)  # stable: ties stay as they arrived
    touches = [
        Touch(event.item_id, event.kind, event.ts)
        for event in by_time
        if not isinstance(event, Search)
    ]
    queries = [
        Query(event.event_id, event.query, event.ts)
        for event in by_time
        if isinstance(event, Search)
    ]
    assert row.applied == log_.applied
    assert row.skipped == tuple(log_.skipped[verdict] for verdict in SKIPPED)
    assert row.newest_ts == max((event.ts for event in log_.fresh), default=0)
    assert [*row.recent] == touches[-MAX_TOUCHES:]
    assert row.queries == tuple(queries[-MAX_QUERIES:])
    kept = sorted([*(t.ts for t in row.recent), *(q.ts for q in row.queries)])
    assert row.session == session_of(kept)
    newest = max(log_.fresh, key=lambda event: (event.ts, event.kind), default=None)
    if newest is None:
        assert row.shown is None
    else:
        last = [e for e in log_.fresh if (e.ts, e.kind) == (newest.ts, newest.kind)][-1]
        assert row.shown == Shown(last.kind, last.event_id, last.ts)
    units = sum((e.quantity or 1) for e in log_.fresh if isinstance(e, Purchase))
    assert row.units == pytest.approx(units)
    priced = [e for e in log_.fresh if not isinstance(e, Search) and e.price]
    check_leaning(row.price_bands, [(price_band(e.price or 0), e.kind, e.ts) for e in priced])
    for kind in Kind:
        check_activity(row, kind, log_.of(kind))
    logs = [log(e.price) for e in log_.fresh if not isinstance(e, Search) and e.price]
    mean = sum(logs) / len(logs) if logs else 0.0
    assert row.prices.count == len(logs)
    assert row.prices.mean == pytest.approx(mean, abs=1e-6)
    variance = sum((x - mean) ** 2 for x in logs) / len(logs) if logs else 0.0
    assert row.prices.deviation**2 == pytest.approx(variance, abs=1e-6 * (1 + variance + mean**2))


def check_activity(row: Profile, kind: Kind, stamps: list[int]) -> None:
    activity = row.activity[kind]
    assert activity.total == len(stamps)
    newest = max(stamps, default=0)
    assert activity.decayed.ts == newest
    for value, half_life in zip(activity.decayed.values, HALF_LIVES_MS, strict=False):
        expected = sum(2.0 ** ((ts - newest) / half_life) for ts in stamps)
        assert value == pytest.approx(expected, rel=1e-9)
    assert len(activity.decayed.values) == (len(HALF_LIVES_MS) if stamps else 0)
    assert totals(activity.windows, row.newest_ts) == recomputed(stamps, row.newest_ts)


steps = st.sampled_from([1, 1, 1, 2, 0, -3])  # 1 and 2 go on, the others go back to a replay
arrivals = short_or_long(st.tuples(events, st.integers(0, 2), steps), 100)


rules_ = st.builds(
    Rules,
    repeat_ms=st.sampled_from([0, 1000, 10 * MINUTE]),
    per_5_minutes=st.sampled_from([0, 0, 5]),
    per_day=st.sampled_from([0, 2, 9]),
)


@settings(max_examples=60)
@given(arrivals, st.just(NO_RULES) | rules_)
def test_every_prefix_equals_a_recomputation_through_replays_duplicates_and_late_events(
    given_arrivals: list[tuple[Event, int, int]], rules: Rules
) -> None:
    row, log_ = new_profile(), Log(rules)
    for event, source, step in given_arrivals:
        offset = max(log_.applied.get(source, -1) + step, 0)
        row = learn(row, event, source, offset, rules)
        log_.take(event, source, offset)
        check(row, log_)


@given(fresh_events(MAX_IDS), st.randoms())
def test_the_order_of_arrival_does_not_matter_where_times_differ(
    fresh: list[Event], rng: Random
) -> None:
    def fold(some: list[Event]) -> Profile:
        row = new_profile()
        for offset, event in enumerate(some):
            row = learn(row, event, 0, offset)
        return row

    one = fold(fresh)
    shuffled = fresh.copy()
    rng.shuffle(shuffled)
    other = fold(shuffled)
    exact = ("newest_ts", "recent", "queries", "applied", "session", "shown")
    for name in exact:
        assert getattr(one, name) == getattr(other, name)
    for a, b in zip(one.activity, other.activity, strict=True):
        assert (a.total, a.windows, a.decayed.ts) == (b.total, b.windows, b.decayed.ts)
        assert a.decayed.values == pytest.approx(b.decayed.values, rel=1e-9)
    assert one.prices.count == other.prices.count
    assert one.prices.total == pytest.approx(other.prices.total, rel=1e-9, abs=1e-9)
    assert one.prices.squares == pytest.approx(other.prices.squares, rel=1e-9, abs=1e-9)
    assert one.units == pytest.approx(other.units)
    if len(one.price_bands) < MAX_NAMES:
        assert one.price_bands == pytest.approx(other.price_bands)


@settings(max_examples=30)
@given(fresh_events(120))
def test_the_newest_are_kept_whatever_came_late(fresh: list[Event]) -> None:
    row, log_ = new_profile(), Log()
    for offset, event in enumerate(fresh):
        row = learn(row, event, 0, offset)
        log_.take(event, 0, offset)
    check(row, log_)


@given(fresh_events(40), events, st.integers(0, 39))
def test_a_replay_is_no_op_and_a_duplicate_moves_only_what_was_applied(
    fresh: list[Event], other: Event, offset: int
) -> None:
    row = new_profile()
    for place, event in enumerate([*fresh, other]):
        row = learn(row, event, 7, place)
    offset %= len(fresh) + 1
    assert verdict_on(row, other, 7, offset) is Verdict.REPLAYED
    assert learn(row, other, 7, offset) is row
    again = learn(row, other, 7, 1000)
    assert verdict_on(row, other, 7, 1000) is Verdict.REPEATED
    assert again.applied == {7: 1000}
    assert sum(again.skipped) == sum(row.skipped) + 1
    for name in Profile.__struct_fields__:
        assert name in {"applied", "skipped"} or getattr(again, name) == getattr(row, name)


def test_a_late_click_joins_two_visits_into_one() -> None:
    def click(minute: int) -> Click:
        return Click(event_id=str(minute), user_id="u", item_id="i", ts=START + minute * MINUTE)

    row = learn(learn(new_profile(), click(0), 0, 0), click(50), 0, 1)
    assert row.session == Session(START + 50 * MINUTE, START + 50 * MINUTE, 1)
    row = learn(row, click(25), 0, 2)
    assert row.session == Session(START, START + 50 * MINUTE, 3)
    row = learn(row, click(80), 0, 3)
    assert row.session == Session(START, START + 80 * MINUTE, 4), "30 minutes do not part a visit"


def test_learning_leaves_the_row_before_as_it_was() -> None:
    before = learn(new_profile(), Click(event_id="a", user_id="u", item_id="i", ts=START), 0, 0)
    copy = decode_profile(encode_profile(before))
    learn(before, Search(event_id="b", user_id="u", query="q", ts=START + 1), 1, 0)
    assert before == copy
    assert new_profile() == Profile()


@given(fresh_events(30), st.binary(max_size=64), st.floats(allow_nan=False))
def test_a_row_survives_its_encoding(fresh: list[Event], factors: bytes, bias: float) -> None:
    row = Profile(factors=factors, bias=bias)
    for offset, event in enumerate(fresh):
        row = learn(row, event, event.kind * 8, offset)
    assert decode_profile(encode_profile(row)) == row


def test_the_row_of_a_heavy_shopper_with_everything_full_is_near_2_kib() -> None:
    rng = Random(5)
    row, ts = new_profile(), START
    for number in range(3000):
        ts += rng.choice([4_000, 40_000, HOUR_MS, DAY])
        common = {"event_id": f"{number:016x}", "user_id": "shopper-0042", "ts": ts}
        item = {"item_id": f"sku-{rng.randrange(3000):04}", "price": rng.random() * 90}
        kind = rng.choices([Click, Search, Purchase], [16, 3, 1])[0]
        event: Event = (
            Search(query="long sleeve t-shirt", **common)  # type: ignore[arg-type]
            if kind is Search
            else kind(**common, **item)
        )
        category, brand = f"Dresses {rng.randrange(40)}", f"Maker {rng.randrange(99)}"
        source = event.kind * 16 + 5
        judged = judge(row, event, source, number)
        row = take(row, event, source, number, judged, leaf=category, brand=brand)
    assert len(row.categories) == len(row.brands) == MAX_NAMES
    assert len(encode_profile(replace(row, factors=bytes(64), bias=0.1))) <= 2250
