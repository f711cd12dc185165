"""What users touched, user by user, out of a log in which they are mixed."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from features.events import Click, Purchase
from ranker.history import History
from streams.touched import Touched
from tests.ranker.shops import NOW

EVENTS = st.lists(
    st.builds(
        lambda kind, user, item, ts: kind(event_id="e", user_id=user, item_id=item, ts=NOW + ts),
        st.sampled_from([Click, Purchase]),
        st.sampled_from(["ann", "bob", "eve"]),
        st.sampled_from(["lamp", "mug", "desk"]),
        st.integers(0, 10**9),
    ),
    max_size=30,
)


@given(events=EVENTS)
def test_each_user_s_touches_come_in_the_order_of_the_log(events: list[Click | Purchase]) -> None:
    touched, expected = Touched(), defaultdict[str, list[Click | Purchase]](list)
    for event in events:
        touched.add(event)
        expected[event.user_id].append(event)
    assert len(touched) == len(events)
    told = [
        History.of([e.item_id for e in own], [e.ts for e in own], [e.kind for e in own])
        for own in expected.values()
    ]
    found = list(touched.histories())
    assert [one.item_ids for one in found] == [one.item_ids for one in told]
    assert [one.manners.tolist() for one in found] == [one.manners.tolist() for one in told]
