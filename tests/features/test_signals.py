"""What an event says about items, and that a message is only ever cut between events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import Click, Purchase, Search
from features.profile import Profile, learn, new_profile
from features.rows import BadRow
from features.signals import (
    MAX_HISTORY,
    Entry,
    Followed,
    Signals,
    TooLarge,
    Touched,
    decode_signals,
    encode_signals,
    signals_of,
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


def test_an_item_learns_what_came_before_it_and_each_of_those_what_followed() -> None:
    row = after(click("a", 0), click("b", 1), click("a", 2), click("c", 3))
    said = signals_of(row, click("d", 4), 9)
    ts = START + 4 * MINUTE
    history = (("c", 0, False), ("a", 1, False), ("b", 2, False))
    assert said == [
        ("d", Touched(9, ts, 0, history)),
        ("c", Followed(9, ts, "d", 0, far=False)),
        ("a", Followed(9, ts, "d", 1, far=False)),
        ("b", Followed(9, ts, "d", 2, far=False)),
    ]


def test_an_item_one_comes_back_to_follows_itself_and_still_counts_in_the_distance() -> None:
    row = after(click("a", 0), click("b", 1))
    said = signals_of(row, click("b", 2), 9)
    ts = START + 2 * MINUTE
    assert said == [
        ("b", Touched(9, ts, 0, (("a", 1, False),))),
        ("b", Followed(9, ts, "b", 0, far=False, itself=True)),
        ("a", Followed(9, ts, "b", 1, far=False)),
    ]


def test_what_lies_behind_a_pause_of_over_an_hour_is_far_wherever_the_pause_was() -> None:
    row = after(click("a", 0), click("b", 61), click("c", 121))
    touched = signals_of(row, click("d", 181), 0)[0][1]
    assert isinstance(touched, Touched)
    assert touched.history == (("c", 0, False), ("b", 1, False), ("a", 2, True))


def test_a_late_event_follows_only_what_was_before_it() -> None:
    row = after(click("a", 0), click("b", 10))
    touched = signals_of(row, click("c", 5), 0)[0][1]
    assert isinstance(touched, Touched)
    assert touched.history == (("a", 0, False),)


def test_the_query_comes_along_where_the_click_names_its_search() -> None:
    row = learn(new_profile(), Search(event_id="s", user_id="u", query="lamp", ts=START), 1, 0)
    row = learn(row, Search(event_id="t", user_id="u", query="mug", ts=START), 1, 1)

    def query(event: Click | Purchase) -> str:
        touched = signals_of(row, event, 0)[0][1]
        assert isinstance(touched, Touched)
        return touched.query

    assert query(click("a", search_id="s")) == "lamp"
    assert query(click("a", search_id="unknown")) == ""
    assert query(click("a")) == ""
    assert query(Purchase(event_id="p", user_id="u", item_id="a", ts=START)) == ""


@given(fresh_events(60), touchings)
def test_history_is_distinct_bounded_and_mirrored(
    fresh: list[Click | Search | Purchase], event: Click | Purchase
) -> None:
    row = new_profile()
    for offset, past in enumerate(fresh):
        row = learn(row, past, 0, offset)
    (touched_id, touched), *followed = signals_of(row, event, 99)
    assert isinstance(touched, Touched)
    assert touched_id == event.item_id
    mirrored = []
    for distance, (item_id, entry) in enumerate(followed):
        assert isinstance(entry, Followed)
        assert entry.distance == distance < MAX_HISTORY
        assert (entry.item_id, entry.itself) == (event.item_id, item_id == event.item_id)
        mirrored.append((item_id, distance, entry.far))
    assert touched.history == tuple(pair for pair in mirrored if pair[0] != event.item_id)
    assert len({item_id for item_id, _, _ in mirrored}) == len(mirrored)
    before = {t.item_id for t in row.recent if t.ts <= event.ts}
    assert len(mirrored) == min(len(before), MAX_HISTORY)
    assert all(a[2] <= b[2] for a, b in pairwise(mirrored)), "once far, further is far"


pasts = st.lists(st.tuples(item_ids, st.integers(0, 9), st.booleans()), max_size=10).map(tuple)
touched_entries = st.builds(
    Touched,
    st.just(0),
    st.integers(0, 2**40),
    st.sampled_from([0, 2]),
    pasts,
    st.text(max_size=20),
    st.binary(max_size=64),
    st.floats(allow_nan=False),
)
followed_entries = st.builds(
    Followed, st.just(0), st.integers(0, 2**40), item_ids, st.integers(0, 9), st.booleans()
)


@st.composite
def messages(draw: st.DrawFn) -> Signals:
    """A message whose offsets rise, some of them with two entries."""
    offset, entries = 0, []
    for group in draw(
        st.lists(st.lists(touched_entries | followed_entries, min_size=1, max_size=2))
    ):
        offset += draw(st.integers(1, 300))
        entries += [_at(entry, offset) for entry in group]
    return Signals(draw(st.integers(0, 100)), tuple(entries))


def _at(entry: Entry, offset: int) -> Entry:
    if isinstance(entry, Touched):
        return Touched(
            offset, entry.ts, entry.kind, entry.history, entry.query, entry.factors, entry.bias
        )
    return Followed(offset, entry.ts, entry.item_id, entry.distance, entry.far, entry.itself)


@given(messages())
def test_a_message_survives_its_encoding(message: Signals) -> None:
    assert decode_signals(encode_signals(message)) == message


@given(messages(), st.integers(500, 2000))
def test_a_cut_message_says_the_same_below_the_limit_and_never_parts_an_offset(
    message: Signals, limit_bytes: int
) -> None:
    parts = split(message, limit_bytes)
    assert [entry for part in parts for entry in part.entries] == list(message.entries)
    assert all(part.source == message.source for part in parts)
    assert all(len(encode_signals(part)) <= limit_bytes for part in parts)
    for part, following in pairwise(parts):
        assert part.entries[-1].offset < following.entries[0].offset


def test_one_event_that_does_not_fit_is_an_error() -> None:
    message = Signals(
        3, (Touched(7, START, 0, (), "q" * 200), Followed(8, START, "a", 0, far=False))
    )
    with pytest.raises(TooLarge, match="offset 7 of source 3 says"):
        split(message, 100)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x92\x01\x91\x01", b"\x92\x01\x91\x96\x01\x00\x00\xa1a\x0a\xc2", b"\x91" * 10**5],
)
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(BadRow, match="not a message of item signals"):
        decode_signals(data)
