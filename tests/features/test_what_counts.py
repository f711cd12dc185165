"""What counts of the events that reach a user row: twins, floods and what it remembers."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events import Click, Event, Kind, Purchase, Search
from features.guard import MAX_IDS, Rules, Verdict
from features.profile import (
    Profile,
    judge,
    learn,
    new_profile,
)
from tests.features.strategies import DAY, MINUTE, START, fresh_events


def verdict_on(row: Profile, event: Event, source: int, offset: int) -> Verdict:
    return judge(row, event, source, offset)[0]


@settings(max_examples=60)
@given(
    fresh_events(60),
    st.randoms(),
    st.builds(Rules, per_5_minutes=st.just(5)) | st.builds(Rules, per_day=st.sampled_from([2, 9])),
)
def test_one_limit_counts_as_many_in_any_order(
    fresh: list[Event], rng: Random, rules: Rules
) -> None:
    start = min((event.ts for event in fresh), default=0)
    near = [event for event in fresh if event.ts < start + 50 * MINUTE]  # no ring is left behind
    shuffled = near.copy()
    rng.shuffle(shuffled)
    one, other = new_profile(), new_profile()
    for offset, (event, moved) in enumerate(zip(near, shuffled, strict=True)):
        one = learn(one, event, 0, offset, rules)
        other = learn(other, moved, 0, offset, rules)
    assert [a.total for a in one.activity] == [a.total for a in other.activity]
    assert one.skipped == other.skipped


@pytest.mark.parametrize("gap_ms", [-1001, -1000, -1, 0, 1, 1000, 1001])
def test_the_same_act_within_a_second_counts_once_whichever_comes_first(gap_ms: int) -> None:
    rules = Rules(repeat_ms=1000)
    pairs: list[tuple[Event, Event]] = [
        (
            kind(event_id="a", user_id="u", item_id="i", ts=START),
            kind(event_id="b", user_id="u", item_id="i", ts=START + gap_ms),
        )
        for kind in (Click, Purchase)
    ]
    pairs.append(
        (
            Search(event_id="a", user_id="u", query="Red mug", ts=START),
            Search(event_id="b", user_id="u", query="red MUG", ts=START + gap_ms),
        )
    )
    for first, second in pairs:
        row = learn(learn(new_profile(), first, 0, 0, rules), second, 0, 1, rules)
        twins = abs(gap_ms) <= 1000
        assert row.activity[first.kind].total == (1 if twins else 2)
        assert row.skipped == (0, int(twins), 0)
        assert row.newest_ts == (START if twins else max(START, START + gap_ms))
        row = learn(row, second, 0, 2, rules)
        assert row.skipped == (1, int(twins), 0), "sent again, it is known by its id"


def test_other_items_kinds_and_users_acts_are_no_twins() -> None:
    rules = Rules(repeat_ms=1000)
    events_: list[Event] = [
        Click(event_id="a", user_id="u", item_id="i", ts=START),
        Click(event_id="b", user_id="u", item_id="j", ts=START),
        Purchase(event_id="c", user_id="u", item_id="i", ts=START),
        Search(event_id="d", user_id="u", query="i", ts=START),
        Search(event_id="e", user_id="u", query="j", ts=START),
    ]
    row = new_profile()
    for offset, event in enumerate(events_):
        row = learn(row, event, 0, offset, rules)
    assert [a.total for a in row.activity] == [2, 2, 1]


def test_a_machine_counts_up_to_the_limits_and_people_beside_it_are_spared() -> None:
    rules = Rules(per_5_minutes=50, per_day=120)
    row = new_profile()
    for number in range(1000):
        click = Click(event_id=f"{number}", user_id="u", item_id=f"{number}", ts=START + number)
        row = learn(row, click, 0, number, rules)
    assert row.activity[Kind.CLICK].total == 50
    assert row.skipped == (0, 0, 950)
    assert row.newest_ts == START + 49
    assert row.applied == {0: 999}
    bought = Purchase(event_id="p", user_id="u", item_id="i", ts=START)
    assert verdict_on(row, bought, 1, 0) is Verdict.COUNTS, "each kind has limits of its own"
    for number in range(1000):
        ts = START + 6 * MINUTE + number * MINUTE // 10
        click = Click(event_id=f"l{number}", user_id="u", item_id="i", ts=ts)
        row = learn(row, click, 0, 1000 + number, rules)
    days = {(START + 6 * MINUTE + n * MINUTE // 10) // DAY for n in range(1000)} | {START // DAY}
    assert row.activity[Kind.CLICK].total <= 120 * len(days)


def test_one_id_in_two_kinds_is_two_events() -> None:
    click = Click(event_id="17", user_id="u", item_id="i", ts=START)
    bought = Purchase(event_id="17", user_id="u", item_id="i", ts=START)
    row = learn(new_profile(), click, 0, 0)
    assert verdict_on(row, bought, 8, 0) is Verdict.COUNTS
    assert [a.total for a in learn(row, bought, 8, 0).activity] == [1, 0, 1]


def test_an_id_is_forgotten_once_as_many_others_came_as_are_remembered() -> None:
    def click(number: int) -> Click:
        return Click(event_id=f"e{number}", user_id="u", item_id="i", ts=START + number)

    row = new_profile()
    for number in range(MAX_IDS):
        row = learn(row, click(number), 0, number)
    assert verdict_on(row, click(0), 1, 0) is Verdict.REPEATED
    row = learn(row, click(MAX_IDS), 0, MAX_IDS)
    assert verdict_on(row, click(0), 1, 0) is Verdict.COUNTS
    assert verdict_on(row, click(1), 1, 0) is Verdict.REPEATED
