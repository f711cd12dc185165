"""What a pass finds is what counting by hand finds, and estimates once there is too much."""

from collections import Counter, defaultdict
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cleaning import clean_event
from features.events import Click, Event, Item, Purchase, Search
from features.guard import REPEAT_MS, Rules, Verdict
from features.profile import Profile, judge, new_profile, take
from features.session import SESSION_GAP_MS
from streams.quality import measure as measuring
from streams.quality.measure import Measure
from streams.quality.result import Quality

T = 1_700_000_000_000
users = st.sampled_from(["ann", "bob", "cem"])
times = st.one_of(st.integers(T, T + 3_000), st.integers(T, T + 40 * SESSION_GAP_MS))
ids = st.integers(0, 60).map(str)
items = st.sampled_from("abc")
clicks = st.builds(
    Click,
    event_id=ids,
    user_id=users,
    item_id=items,
    ts=times,
    price=st.none() | st.floats(0, 99),
    position=st.none() | st.integers(0, 3),
)
purchases = st.builds(Purchase, event_id=ids, user_id=users, item_id=items, ts=times)
searches = st.builds(
    Search, event_id=ids, user_id=users, query=st.sampled_from(["mug", "MUG ", "cup"]), ts=times
)
logs = st.lists(st.one_of(clicks, clicks, purchases, searches), max_size=60)


def measured(events: list[Event], entries: tuple[Item, ...] = ()) -> Quality:
    measure = Measure()
    for item in entries:
        measure.item(item)
    for event in events:
        measure.event(event, "log")
    return measure.quality("here")


def distinct(quality: Quality, name: str) -> int:
    return next(one.distinct for one in quality.cardinalities if one.name == name)


def count(quality: Quality, name: str) -> int:
    return next(one.count for one in quality.histograms if one.name == name)


@given(log=logs)
def test_counts_are_those_of_counting_by_hand(log: list[Event]) -> None:
    found = measured(log)
    kinds = Counter(event.kind.name.lower() for event in log)
    assert found.events == {kind: kinds[kind] for kind in ("click", "search", "purchase")}
    touched = [event for event in log if not isinstance(event, Search)]
    assert distinct(found, "users") == len({event.user_id for event in log})
    assert distinct(found, "items") == len({event.item_id for event in touched})
    queries = {event.query.strip().lower() for event in log if isinstance(event, Search)}
    assert distinct(found, "queries") == len(queries)
    named = {(event.kind, event.event_id) for event in log}
    assert found.repeated_ids == len(log) - len(named)
    assert found.first_ts == min((event.ts for event in log), default=None)
    assert found.last_ts == max((event.ts for event in log), default=None)
    assert count(found, "hour") == len(log)
    assert count(found, "per_user") == distinct(found, "users")
    assert found.uncatalogued == distinct(found, "items")
    assert found.estimated == ()
    missing = {(one.kind, one.field): one.missing for one in found.missing}
    for (kind, field), lacking in missing.items():
        of = [event for event in log if event.kind.name.lower() == kind]
        assert lacking == sum(getattr(event, field) is None for event in of)


@given(log=logs)
def test_what_comes_late_is_told_by_how_much(log: list[Event]) -> None:
    found = measured(log)
    newest, late = 0, []
    for event in log:
        if event.ts < newest:
            late.append((newest - event.ts) / 1000)
        newest = max(newest, event.ts)
    assert found.behind_log.count == len(late)
    assert found.behind_log.most == max(late, default=None)
    behind = 0
    seen: dict[str, int] = {}
    for event in log:
        behind += event.ts < seen.get(event.user_id, 0)
        seen[event.user_id] = max(event.ts, seen.get(event.user_id, 0))
    assert found.behind_user.count == behind


@given(log=logs)
def test_visits_bursts_and_pauses_of_a_log_in_order(log: list[Event]) -> None:
    log.sort(key=lambda event: event.ts)
    found = measured(log)
    own: defaultdict[str, list[int]] = defaultdict(list)
    minutes: Counter[tuple[str, int]] = Counter()
    for event in log:
        own[event.user_id].append(event.ts)
        minutes[event.user_id, event.ts // 60_000] += 1
    pauses = [b - a for times in own.values() for a, b in pairwise(times)]
    assert count(found, "gap") == len(pauses)
    visits = len(own) + sum(pause > SESSION_GAP_MS for pause in pauses)
    assert count(found, "session") == visits
    most = {user: max(n for (who, _), n in minutes.items() if who == user) for user in own}
    assert {one.user_id: one.events for one in found.bursts} == {
        user: n for user, n in most.items() if n > 1
    }


def test_quick_repeats_are_counted_once_and_not_as_ids() -> None:
    def click(number: int, ts: int, item: str = "a", user: str = "ann") -> Click:
        return Click(event_id=str(number), user_id=user, item_id=item, ts=ts)

    log: list[Event] = [
        click(1, T),
        click(2, T + REPEAT_MS),  # a repeat
        click(3, T + 2 * REPEAT_MS + 1),  # too late for one
        click(4, T + 2 * REPEAT_MS + 1, item="b"),
        click(5, T + 2 * REPEAT_MS + 1, user="bob"),
        click(5, T + 2 * REPEAT_MS + 1, user="bob"),  # sent again: its id says so
        Purchase(event_id="6", user_id="ann", item_id="b", ts=T + 2 * REPEAT_MS + 1),
    ]
    found = measured(log)
    assert (found.repeated_actions, found.repeated_ids) == (1, 1)


@given(log=logs)
def test_repeats_are_what_a_worker_would_not_count(log: list[Event]) -> None:
    log = [
        msgspec.structs.replace(clean_event(event), event_id=str(number))
        for number, event in enumerate(sorted(log, key=lambda event: event.ts))
    ]
    rules, twins = Rules(repeat_ms=REPEAT_MS), 0
    rows: defaultdict[str, Profile] = defaultdict(new_profile)
    for offset, event in enumerate(log):
        row = rows[event.user_id]
        judged = judge(row, event, 0, offset, rules)
        rows[event.user_id] = take(row, event, 0, offset, judged)
        twins += judged[0] is Verdict.TWIN
    assert measured(log).repeated_actions == twins


def test_a_catalogue_is_held_against_the_events() -> None:
    entries = (
        Item(item_id="a", category=("x", "y"), brand="B", price=3.0),
        Item(item_id="z", category=("x",)),
    )
    log: list[Event] = [
        Click(event_id=one, user_id="ann", item_id=one, ts=T) for one in ("a", "b", "c")
    ]
    found = measured(log, entries)
    assert (found.items, found.uncatalogued) == (2, 2)
    assert [distinct(found, name) for name in ("catalogue", "categories", "brands")] == [2, 2, 1]
    missing = {(one.kind, one.field): one.missing for one in found.missing}
    assert missing["item", "price"] == 1
    assert missing["item", "title"] == 2
    assert count(found, "list_price") == 1


def test_reasons_are_counted_and_the_first_lines_quoted() -> None:
    measure = Measure()
    for number in range(5):
        measure.refused("bad_ts", f"line {number}")
    measure.refused("empty_id", "line 9")
    found = measure.quality("here").invalid
    assert [(one.reason, one.count, len(one.examples)) for one in found] == [
        ("bad_ts", 5, 3),
        ("empty_id", 1, 1),
    ]


def test_too_much_is_estimated_and_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "USERS", 500)
    monkeypatch.setattr(measuring, "IDS", 500)
    monkeypatch.setattr(measuring, "RECENT", 500)
    log: list[Event] = [
        Click(event_id=f"{user}-{n}", user_id=f"u{user}", item_id=f"i{user}", ts=T + 2_000 * n)
        for n in range(3)
        for user in range(5_000)
    ]
    found = measured([*log, *log])
    assert set(found.estimated) == {
        *("per_user", "gap", "session", "behind_user"),
        *("repeated_ids", "uncatalogued"),
    }
    assert found.uncatalogued == pytest.approx(5_000, rel=0.25)
    assert distinct(found, "users") == pytest.approx(5_000, rel=0.25)
    assert found.repeated_ids == pytest.approx(15_000, rel=0.35)
    per_user = next(one for one in found.histograms if one.name == "per_user")
    assert per_user.mean == pytest.approx(6, rel=0.25)
    assert not any(one.exact for one in found.cardinalities if one.distinct > 500)


def test_json_holds_all_of_it() -> None:
    found = measured([Click(event_id="1", user_id="ann", item_id="a", ts=T)])
    assert msgspec.json.decode(msgspec.json.encode(found), type=Quality) == found
