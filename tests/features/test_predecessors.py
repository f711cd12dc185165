"""Pairs of every kind are kept apart, bounded, and never run into each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import Click, Event, Kind, Purchase
from features.fading import ONE
from features.item import learn as learn_item
from features.item import new_item
from features.predecessors import (
    MAX_PASSAGES,
    NO_PAIRS,
    PAIRS,
    WEIGHT_ONE,
    Predecessors,
    all_faded,
    changed_last,
    closeness,
    copied,
    count,
    follow,
    pair,
    parts,
    pruned,
)
from features.profile import learn, new_profile
from features.signals import MAX_HISTORY, Signals, Touched, signal_of

T = 1_700_000_000_000
kinds = st.lists(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.builds(pair, st.integers(0, 2**38), st.integers(1, MAX_PASSAGES)),
    ),
    min_size=len(PAIRS),
    max_size=len(PAIRS),
).map(tuple)


def touch(kind: Kind, *history: str, bought: int = 0) -> Touched:
    return Touched(0, T, kind, history, len(history), bought=bought)


@given(st.integers(0, 2**38), st.integers(0, MAX_PASSAGES))
def test_a_pair_is_two_numbers_in_one(weight: int, passages: int) -> None:
    assert parts(pair(weight, passages)) == (weight, passages)
    assert closeness(pair(weight, passages)) == weight + passages * WEIGHT_ONE // 4 // ONE


def test_passages_that_are_full_stay_full_and_never_run_into_the_weight() -> None:
    pairs = copied(({"a": pair(7, MAX_PASSAGES - 1)}, {}, {}, {}), [1] * len(PAIRS))
    for _ in range(3):
        follow(pairs, touch(Kind.CLICK, "a"), 0)
    assert parts(pairs[0]["a"]) == (7 + 3 * WEIGHT_ONE, MAX_PASSAGES)


@given(
    st.sampled_from([Kind.CLICK, Kind.PURCHASE]),
    st.lists(st.booleans(), max_size=MAX_HISTORY),
    st.integers(0, 9),
)
def test_each_pair_goes_where_both_its_events_say(
    kind: Kind, bought: list[bool], turns: int
) -> None:
    history = [f"i{distance}" for distance in range(len(bought))]
    mask = sum(1 << distance for distance, one in enumerate(bought) if one)
    pairs = copied(NO_PAIRS, [1] * len(PAIRS))
    total = follow(pairs, touch(kind, *history, bought=mask), turns)
    for number, (earlier, later) in enumerate(PAIRS):
        expected = [
            item_id
            for item_id, one in zip(history, bought, strict=True)
            if later == kind and one == (earlier == Kind.PURCHASE)
        ]
        assert list(pairs[number]) == expected
    assert total == sum(parts(stored)[0] for told in pairs for stored in told.values())


@given(
    st.lists(
        st.tuples(
            st.sampled_from([Kind.CLICK, Kind.PURCHASE]),
            st.lists(st.sampled_from("abcdefghij"), unique=True),
            st.integers(0, (1 << MAX_HISTORY) - 1),
        ),
        max_size=9,
    ),
    st.integers(0, 9),
)
def test_what_has_changed_is_among_the_last_that_were_counted(
    told: list[tuple[Kind, list[str], int]], known: int
) -> None:
    entries = [touch(kind, *history, bought=bought) for kind, history, bought in told]
    before, pairs = NO_PAIRS, NO_PAIRS
    for number, entry in enumerate(entries):
        before = pairs if number <= known else before
        pairs = copied(pairs, count([entry]))
        follow(pairs, entry, 0)
    since = count(entries[known:]) if known < len(entries) else count(entries[-1:])
    expected = {
        item_id
        for now, then in zip(pairs, before, strict=True)
        for item_id in now
        if now[item_id] != then.get(item_id)
    }
    found = changed_last(pairs, since)
    assert expected <= set(found)
    assert len(found) == len(set(found)) <= sum(since), "it is no more than was counted"


def test_a_user_s_row_says_of_every_item_whether_it_was_bought_when_last_touched() -> None:
    events: list[Event] = [
        Purchase(event_id="1", user_id="u", item_id="kept", ts=T),
        Purchase(event_id="2", user_id="u", item_id="again", ts=T + 1),
        Click(event_id="3", user_id="u", item_id="seen", ts=T + 2),
        Click(event_id="4", user_id="u", item_id="again", ts=T + 3),
    ]
    row = new_profile()
    for offset, event in enumerate(events):
        row = learn(row, event, 0, offset)
    last = Purchase(event_id="5", user_id="u", item_id="i", ts=T + 4)
    signal = signal_of(row, last, 9)
    assert signal.history == ("again", "seen", "kept")
    assert signal.bought == 0b100
    pairs = learn_item(new_item(), Signals(0, (signal,))).predecessors
    assert [list(one) for one in pairs] == [[], ["again", "seen"], [], ["kept"]]


@given(kinds, st.integers(1, 12))
def test_all_kinds_share_one_bound_and_the_closest_stay(told: Predecessors, most: int) -> None:
    kept = pruned(told, most)
    if sum(map(len, told)) <= 2 * most:
        assert kept is told
        return
    assert sum(map(len, kept)) == most
    gone = [
        closeness(stored)
        for pairs, left in zip(told, kept, strict=True)
        for item_id, stored in pairs.items()
        if item_id not in left
    ]
    assert max(gone) <= min(closeness(stored) for pairs in kept for stored in pairs.values())


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from("abcdef"), st.sampled_from([pair(WEIGHT_ONE, 1), pair(WEIGHT_ONE, ONE)])
        ),
        min_size=len(PAIRS),
        max_size=len(PAIRS),
    ).map(tuple),
    st.integers(1, 12),
)
def test_of_equals_the_last_to_change_stay_in_their_order(told: Predecessors, most: int) -> None:
    places = [
        (closeness(stored), kind, place, item_id)
        for kind, pairs in enumerate(told)
        for place, (item_id, stored) in enumerate(pairs.items())
    ]
    count = most if len(places) > 2 * most else len(places)
    stay = {(one[1], one[3]) for one in sorted(places, reverse=True)[:count]}
    for kind, (before, after) in enumerate(zip(told, pruned(told, most), strict=True)):
        assert [*after.items()] == [one for one in before.items() if (kind, one[0]) in stay]


@given(kinds, st.integers(0, 300))
def test_pairs_fade_together_and_what_is_left_of_none_goes(told: Predecessors, turns: int) -> None:
    for pairs, after in zip(told, all_faded(told, turns), strict=True):
        for item_id, stored in pairs.items():
            for was, now in zip(parts(stored), parts(after.get(item_id, 0)), strict=True):
                assert now == pytest.approx(was * 2 ** (-turns / 4), rel=1e-4, abs=1)
        assert all(after.values())
