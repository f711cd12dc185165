"""Events as hypothesis draws them: few items, times that cluster, repeat and lie far apart."""

from typing import Any, TypeVar

from hypothesis import strategies as st

from features.events import Click, Event, Purchase, Search

T = TypeVar("T")

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_700_000_000_000

pauses = st.one_of(
    st.just(0),
    st.integers(0, 3 * MINUTE),
    st.integers(0, 3 * HOUR),
    st.integers(0, 20 * DAY),
)
times = st.builds(lambda *parts: START + sum(parts), pauses, pauses, pauses)
prices = st.none() | st.floats(0, 1000, allow_subnormal=False)
item_ids = st.sampled_from("abcdefghijklmn")
event_ids = st.integers(0, 200).map(str)

touchings = st.builds(
    Click,
    event_id=event_ids,
    user_id=st.just("u"),
    item_id=item_ids,
    ts=times,
    price=prices,
    search_id=st.none() | event_ids,
) | st.builds(
    Purchase,
    event_id=event_ids,
    user_id=st.just("u"),
    item_id=item_ids,
    ts=times,
    price=prices,
    quantity=st.none() | st.floats(0.5, 50),
)
searches = st.builds(
    Search,
    event_id=event_ids,
    user_id=st.just("u"),
    query=st.sampled_from(["red mug", "Red  MUG", "lamp", ""]),
    ts=times,
)
events: st.SearchStrategy[Event] = st.one_of(touchings, touchings, searches)


def short_or_long(
    of: st.SearchStrategy[T], most: int, **options: Any
) -> st.SearchStrategy[list[T]]:
    """Lists of any length up to `most`; half of them long, which hypothesis alone seldom draws."""
    return st.sampled_from([0, most // 2]).flatmap(
        lambda least: st.lists(of, min_size=least, max_size=most, **options)
    )


def fresh_events(most: int = 80) -> st.SearchStrategy[list[Event]]:
    """Events of one user in any order: no id twice within a kind, no time twice."""
    distinct = (lambda e: (e.kind, e.event_id), lambda e: e.ts)
    return short_or_long(events, most, unique_by=distinct)
