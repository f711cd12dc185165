"""Parts of the predictions add up to all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decay import DAY_MS
from features.events import Click, Search
from features.item import NEVER, ItemRow
from features.profile import learn, new_profile
from features.session import SESSION_GAP_MS
from streams.figures.rates import rates
from streams.figures.segments import GROUPS, Before, Segments, before
from tests.figures.made import NOW

K = 5
KNOWN = st.builds(
    Before,
    touches=st.integers(0, 50),
    item_touches=st.integers(0, 1_000),
    item_age_ms=st.integers(NEVER, 90 * DAY_MS),
    searched=st.booleans(),
)


@given(lists=st.lists(st.tuples(KNOWN, st.integers(0, K)), min_size=1, max_size=60))
def test_the_segments_of_each_group_sum_to_the_whole(lists: list[tuple[Before, int]]) -> None:
    segments = Segments(K, GROUPS)
    for known, position in lists:
        segments.add(known, position)
    whole = rates(np.bincount([position for _, position in lists], minlength=K + 1), K)
    for group in GROUPS:
        parts = [one for one in segments.result() if one.group == group]
        assert sum(one.predictions for one in parts) == len(lists)
        for name in ("hr", "mrr", "ndcg"):
            total = sum(one.predictions * getattr(one.rates, name) for one in parts)
            assert total / len(lists) == pytest.approx(getattr(whole, name), abs=2e-5)


@pytest.mark.parametrize(
    ("known", "names"),
    [
        (
            Before(0, NEVER, 0, NEVER, searched=False),
            ["0, a new user", "no touch before", "0, a new item", "never touched"],
        ),
        (Before(1, 0, 1, 0, searched=False), ["1", "in a visit", "1-9", "under 1 day"]),
        (
            Before(4, SESSION_GAP_MS, 9, DAY_MS, searched=False),
            ["2-4", "in a visit", "1-9", "1-7 days"],
        ),
        (
            Before(9, SESSION_GAP_MS + 1, 10, 7 * DAY_MS, searched=False),
            ["5-9", "under 1 day", "10-99", "7-30 days"],
        ),
        (
            Before(50, 7 * DAY_MS, 100, 30 * DAY_MS, searched=False),
            ["10+", "7+ days", "100+", "30+ days"],
        ),
    ],
)
def test_where_segments_begin(known: Before, names: list[str]) -> None:
    segments = Segments(K, GROUPS)
    segments.add(known, 1)
    assert [one.name for one in segments.result()] == [*names, "without a search"]


def test_what_is_noted_is_of_before() -> None:
    row = new_profile()
    for number in range(3):
        row = learn(row, Click(event_id=f"{number}", user_id="u", item_id="i", ts=NOW), 0, number)
    click = Click(event_id="c", user_id="u", item_id="i", ts=NOW + 5, search_id="s")
    item = ItemRow(touches=(4, 0, 2), first_seen=NOW)
    assert before(click, row, item) == Before(3, 5, 6, 5, searched=True)
    plain = Click(event_id="d", user_id="u", item_id="j", ts=NOW)
    assert before(plain, new_profile(), None) == Before(0, NEVER, 0, NEVER, searched=False)
    search = Search(event_id="s", user_id="u", query="q", ts=NOW)
    assert before(search, row, ItemRow()) == Before(3, 0, 0, NEVER, searched=True)
