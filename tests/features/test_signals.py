"""What an event says about items, and that a message is only ever cut between events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from features.events import Click, Purchase, Search
from features.profile import Profile, learn, new_profile
from features.rows import BadRow
from features.signals import (
    FAR_MS,
    MAX_HISTORY,
    Signals,
    TooLarge,
    Touched,
    decode_signals,
    encode_signals,
    signal_of,
    split,
)
from tests.features.strategies import MINUTE, START, fresh_events, item_ids, touchings


def click(item_id: str, minute: int = 0, **more: str) -> Click:
    return Click(
        event_id=f"{item_id}{minute}",
        user_id="u",
        item_id=item_id,
        ts=START + minute * MINUTE,
        **more,  # type: ignore[arg-type]
    )


def after(*clicks: Click) -> Profile:
    row = new_profile()
    for offset, event in enumerate(clicks):
        row = learn(row, event, 0, offset)
    return row


def test_an_item_learns_what_came_before_it() -> None:
    row = after(click("a", 0), click("b", 1), click("a", 2), click("c", 3))
    ts = START + 4 * MINUTE
    assert signal_of(row, click("d", 4), 9) == Touched(9, ts, 0, ("c", "a", "b"), 3)


def test_an_item_one_comes_back_to_is_in_its_own_history() -> None:
    row = after(click("a", 0), click("b", 1))
    assert signal_of(row, click("b", 2), 9).history == ("b", "a")


def test_what_lies_behind_a_pause_of_over_an_hour_is_not_near_wherever_the_pause_was() -> None:
    row = after(click("a", 0), click("b", 61), click("c", 121))
    touched = signal_of(row, click("d", 181), 0)
    assert (touched.history, touched.near) == (("c", "b", "a"), 2)


def test_a_late_event_follows_only_what_was_before_it() -> None:
    row = after(click("a", 0), click("b", 10))
    assert signal_of(row, click("c", 5), 0).history == ("a",)


def test_the_query_comes_along_where_the_click_names_its_search() -> None:
    row = learn(new_profile(), Search(event_id="s", user_id="u", query="lamp", ts=START), 1, 0)
    row = learn(row, Search(event_id="t", user_id="u", query="mug", ts=START), 1, 1)

    def query(event: Click | Purchase) -> str:
        return signal_of(row, event, 0).query

    assert query(click("a", search_id="s")) == "lamp"
    assert query(click("a", search_id="unknown")) == ""
    assert query(click("a")) == ""
    assert query(Purchase(event_id="p", user_id="u", item_id="a", ts=START)) == ""


@given(fresh_events(60), touchings)
def test_history_is_what_a_walk_back_finds(
    fresh: list[Click | Search | Purchase], event: Click | Purchase
) -> None:
    row = new_profile()
    for offset, past in enumerate(fresh):
        row = learn(row, past, 0, offset)
    touched = signal_of(row, event, 99)
    assert (touched.offset, touched.ts, touched.kind) == (99, event.ts, event.kind)
    before = [t for t in row.recent if t.ts <= event.ts][::-1]
    distinct = list(dict.fromkeys(t.item_id for t in before))
    assert touched.history == tuple(distinct[:MAX_HISTORY])
    times = [event.ts, *(t.ts for t in before)]
    paused = next((n for n, (b, a) in enumerate(pairwise(times)) if b - a > FAR_MS), len(before))
    near = len({t.item_id for t in before[:paused]})
    assert touched.near == min(near, len(touched.history))


touched_entries = st.builds(
    Touched,
    st.just(0),
    st.integers(0, 2**40),
    st.sampled_from([0, 2]),
    st.lists(item_ids, max_size=MAX_HISTORY, unique=True).map(tuple),
    st.integers(0, MAX_HISTORY),
    st.text(max_size=20),
    st.binary(max_size=64),
    st.floats(allow_nan=False),
)


@st.composite
def messages(draw: st.DrawFn) -> Signals:
    """A message whose offsets rise."""
    offset, entries = 0, []
    for entry in draw(st.lists(touched_entries)):
        offset += draw(st.integers(1, 300))
        entries.append(replace(entry, offset=offset))
    return Signals(draw(st.integers(0, 100)), tuple(entries))


@given(messages())
def test_a_message_survives_its_encoding(message: Signals) -> None:
    assert decode_signals(encode_signals(message)) == message


@given(messages(), st.integers(500, 2000))
def test_a_cut_message_says_the_same_below_the_limit(message: Signals, limit_bytes: int) -> None:
    parts = split(message, limit_bytes)
    assert [entry for part in parts for entry in part.entries] == list(message.entries)
    assert all(part.source == message.source for part in parts)
    assert all(len(encode_signals(part)) <= limit_bytes for part in parts)
    for part, following in pairwise(parts):
        assert part.entries[-1].offset < following.entries[0].offset


def test_one_event_that_does_not_fit_is_an_error() -> None:
    message = Signals(3, (Touched(7, START, 0, (), 0, "q" * 200), Touched(8, START, 0, (), 0)))
    with pytest.raises(TooLarge, match="offset 7 of source 3 says"):
        split(message, 100)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x92\x01\x91\x01", b"\x92\x01\x91\x95\x00\x00\x03\x90\x00", b"\x91" * 10**5],
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(BadRow, match="not a message of item signals"):
        decode_signals(data)
