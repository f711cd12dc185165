"""The business without Kafka: replays, partial deliveries and crashes change nothing."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from features.affinity import shares
from features.events import Click, Event, Filters, Item, Purchase, Search
from features.guard import Lateness, Rules, Verdict
from features.item import catalogued, new_item
from features.levels import CategoryLevels
from features.profile import Profile
from ranker.items import ItemIndex
from streams import steps
from streams.broadcast import show_items
from streams.item_states import item_state
from tests.streams.world import EVENTS, FACTORS, MUGS, NOW, SOURCE, World, click, undisturbed


@given(
    cuts=st.lists(st.integers(1, len(EVENTS) - 1), max_size=5, unique=True),
    data=st.data(),
)
def test_a_crash_between_any_two_writes_leaves_the_same_state(
    cuts: list[int], data: st.DataObject
) -> None:
    """Each batch first dies after some signals and some rows got through, then is replayed."""
    expected = undisturbed(EVENTS).state()
    world = World()
    start = 0
    for end in [*sorted(cuts), len(EVENTS)]:
        batch = EVENTS[start:end]
        crashed = world.users_learn(batch, start)
        names = st.sets(st.sampled_from(sorted(crashed.signals)))
        delivered = data.draw(names, "signals delivered before the crash")
        world.items_learn(crashed, only=delivered)
        if delivered == set(crashed.signals):  # rows are written only after all signals
            kept = data.draw(st.sets(st.sampled_from(sorted(crashed.rows))), "rows kept")
            world.users |= {user_id: crashed.rows[user_id] for user_id in kept}
        replayed = world.users_learn(batch, start)
        world.items_learn(replayed)
        world.users |= replayed.rows
        start = end
    assert world.state() == expected


def test_a_replayed_batch_says_and_changes_nothing() -> None:
    world = undisturbed(EVENTS)
    before = world.state()
    again = world.users_learn(EVENTS, 0)
    assert again.signals == {}
    assert again.fresh == []
    world.users |= again.rows
    assert world.state() == before


def test_an_event_sent_twice_counts_once() -> None:
    events = [EVENTS[0], EVENTS[0], EVENTS[1]]
    assert undisturbed(events).users_learn([EVENTS[0]], 9).fresh == []
    once, twice = undisturbed(events[1:]).state()[1], undisturbed(events).state()[1]
    assert {k: v.touches for k, v in once.items()} == {k: v.touches for k, v in twice.items()}


def test_the_hook_sees_each_user_before_the_event() -> None:
    seen: list[tuple[int, int]] = []
    world = World()
    events = [click("e1", "a"), click("e2", "b"), click("e2", "b"), click("e3", "c")]
    steps.learn_users(
        world.users,
        events,
        SOURCE,
        range(len(events)),
        world.index,
        before=lambda row, at, uncounted: seen.append((at, len(row.recent) - uncounted)),
    )
    assert seen == [(0, 0), (1, 0), (3, 0)]


def test_users_and_items_get_factors_once_both_are_known() -> None:
    world = World()
    for number in range(3):
        outcome = world.users_learn([click(f"e{number}", "a")], number)
        world.items_learn(outcome)
        world.users |= outcome.rows
        show_items(world.index, CategoryLevels(), list(world.items.items()))
    assert len(world.users["ann"].factors) == 4 * FACTORS
    assert len(world.items["a"].factors) == 4 * FACTORS


def test_who_comes_back_after_the_limit_starts_anew_and_a_replay_is_still_known() -> None:
    ttl_ms, index = 1_000, ItemIndex()
    times = [NOW, NOW + ttl_ms, NOW + 2 * ttl_ms + 1, NOW + 2 * ttl_ms]  # the last one is late
    events = [
        Click(event_id=str(n), user_id="u", item_id=f"i{n}", ts=ts) for n, ts in enumerate(times)
    ]
    rows: dict[str, Profile] = {}
    for offset, event in enumerate(events):
        outcome = steps.learn_users(rows, [event], SOURCE, [offset], index, ttl_ms=ttl_ms)
        rows |= outcome.rows
    assert rows["u"].recent.item_ids == ("i3", "i2")
    again = steps.learn_users(rows, events, SOURCE, range(4), index, ttl_ms=ttl_ms)
    elsewhere = steps.learn_users(rows, events, SOURCE + 1, range(4), index, ttl_ms=ttl_ms)
    assert (again.fresh, again.rows, elsewhere.fresh) == ([], rows, [])  # by offset, and by id
    kept = steps.learn_users({}, events, SOURCE, range(4), index)
    assert len(kept.rows["u"].recent) == 4


def test_what_does_not_count_says_nothing_and_is_counted_by_reason() -> None:
    rules = Rules(repeat_ms=1000, per_5_minutes=5)
    events: list[Event] = [
        Click(event_id="a", user_id="u", item_id="i", ts=NOW),
        Click(event_id="a", user_id="u", item_id="i", ts=NOW),
        Click(event_id="b", user_id="u", item_id="i", ts=NOW + 1000),
        *(
            Click(event_id=f"c{n}", user_id="u", item_id=f"i{n}", ts=NOW + 2000 + n)
            for n in range(10)
        ),
    ]
    assert NOW // 300_000 == (NOW + 3000) // 300_000, "one bucket of 5 minutes"
    outcome = steps.learn_users({}, events, SOURCE, range(13), ItemIndex(), rules=rules)
    assert outcome.skipped == {Verdict.REPEATED: 1, Verdict.TWIN: 1, Verdict.FLOOD: 6}
    assert outcome.fresh == [0, 3, 4, 5, 6]
    assert set(outcome.signals) == {"i", "i0", "i1", "i2", "i3"}
    assert outcome.touches["u"] == 5
    assert outcome.rows["u"].skipped == (1, 1, 6)
    again = steps.learn_users(outcome.rows, events, SOURCE, range(13), ItemIndex(), rules=rules)
    assert again.skipped == {Verdict.REPLAYED: 13}
    assert again.rows == outcome.rows


def test_a_search_that_was_just_asked_does_not_count_and_is_answered_again() -> None:
    asked = [
        Search(event_id=f"s{n}", user_id="u", query=query, ts=NOW + n)
        for n, query in enumerate(["mug", "Mug", "cup"])
    ]
    again = replace(asked[0], filters=Filters(brand="Acme"))  # sent twice: answered long ago
    outcome = steps.learn_users(
        {}, [*asked, again], SOURCE, range(4), ItemIndex(), rules=Rules(repeat_ms=1000)
    )
    assert (outcome.fresh, outcome.again) == ([0, 2], [1])
    assert outcome.skipped == {Verdict.TWIN: 1, Verdict.REPEATED: 1}


@given(st.randoms(), st.sampled_from([0, 1000]), st.integers(1, 12))
def test_rules_do_not_mind_where_a_batch_ends(rng: Random, repeat_ms: int, size: int) -> None:
    rules = Rules(repeat_ms=repeat_ms, per_5_minutes=10, per_day=100)
    events = [event for event in EVENTS if rng.random() < 0.3]
    index, rows, counted = ItemIndex(), dict[str, Profile](), 0
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        offsets = range(start, start + len(batch))
        outcome = steps.learn_users(rows, batch, SOURCE, offsets, index, rules=rules)
        rows |= outcome.rows
        counted += len(outcome.fresh)
    whole = steps.learn_users({}, events, SOURCE, range(len(events)), index, rules=rules)
    assert rows == whole.rows
    assert counted == len(whole.fresh)


def test_late_events_count_and_are_counted_by_how_late_they_are() -> None:
    events = [
        Click(event_id=str(n), user_id="u", item_id=f"i{n}", ts=NOW + ago)
        for n, ago in enumerate([0, -1000, -1001, 0, 7])
    ]
    outcome = steps.learn_users({}, events, SOURCE, range(5), ItemIndex(), late_ms=1000)
    assert len(outcome.fresh) == 5
    assert outcome.late == {Lateness.OUT_OF_ORDER: 1, Lateness.LATE: 1}


def test_users_lean_to_what_the_index_knows_of_their_items() -> None:
    index = ItemIndex()
    for number, entry in enumerate(MUGS):
        index.put(item_state(entry.item_id, catalogued(new_item(), entry, number)))
    events: list[Event] = [
        click("e0", "i0"),
        click("e0", "i0"),
        Purchase(event_id="e1", user_id="ann", item_id="i2", ts=NOW, quantity=3),
        click("e2", "i3"),
        click("e3", "nobody knows"),
        Search(event_id="e4", user_id="ann", query="mug", ts=NOW),
    ]
    row = steps.learn_users({}, events, SOURCE, range(6), index).rows["ann"]
    assert shares(row.categories) == pytest.approx({"Garden": 0.8, "Mugs": 0.2})
    assert shares(row.brands) == pytest.approx({"Acme": 1.0})
    assert row.units == 3


def test_a_misspelt_search_finds_what_was_meant() -> None:
    index = ItemIndex()
    for item_id, title in (("s", "Samsung Galaxy"), ("n", "Nokia Lumia")):
        row = catalogued(new_item(), Item(item_id=item_id, title=title), 0)
        index.put(item_state(item_id, row))
    asked = Search(event_id="s", user_id="u", query="Samsnug  glaxy", ts=NOW)
    wanted = steps.request(Profile(), asked, index, 5, 0)
    assert (wanted.query, wanted.terms) == (asked.query, ["samsung", "galaxy"])
    assert wanted.query_keys == ["=samsung galaxy", "~samsunggalaxy", "samsung", "galaxy"]
    right = steps.request(Profile(), replace(asked, query="samsung galaxy"), index, 5, 0)
    assert (right.terms, right.query_keys) == (wanted.terms, wanted.query_keys)


def test_items_differ_as_much_as_is_asked_for_but_where_they_answer_a_search() -> None:
    index = ItemIndex()
    search = Search(event_id="s", user_id="u", query="mug", ts=NOW)
    asked = [
        steps.request(Profile(), one, index, 5, 0, diversity=0.5)
        for one in (click("c", "i"), search)
    ]
    assert [one.diversity for one in asked] == [0.5, 0.0]
