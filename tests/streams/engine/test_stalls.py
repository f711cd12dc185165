"""A partition stalls when it has something to do and stands still, and only then."""

from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.stalls import Stalls

ONE, TWO = TP("clicks", 0), TP("clicks", 1)
marks = st.none() | st.integers(0, 2)
looks = st.lists(
    st.tuples(st.floats(0, 10), st.dictionaries(st.sampled_from([ONE, TWO]), marks)), max_size=20
)


@given(history=looks, limit_s=st.floats(0.1, 30))
def test_the_time_is_that_since_the_mark_last_changed(
    history: list[tuple[float, dict[TP, int | None]]], limit_s: float
) -> None:
    stalls = Stalls()
    for passed_s, seen in history:
        stalls.look(passed_s, seen)
    expected = {}
    for tp in (ONE, TWO):
        still_s, newest = 0.0, history[-1][1].get(tp) if history else None
        for passed_s, seen in reversed(history):
            if seen.get(tp) != newest:
                break
            still_s += passed_s
            unchanged_since = passed_s
        if newest is not None and still_s - unchanged_since >= limit_s - 1e-9:
            expected[tp] = still_s - unchanged_since
    found = stalls.longer_than(limit_s - 1e-9)
    assert found.keys() == expected.keys()
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_what_is_no_longer_watched_starts_anew() -> None:
    stalls = Stalls()
    for seen in ({ONE: 1}, {ONE: 1}, {}, {ONE: 1}):
        stalls.look(60.0, seen)
    assert stalls.longer_than(1.0) == {}
