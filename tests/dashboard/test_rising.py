"""What rises is what has more than its usual share, and more than chance."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.dashboard.rising import best, standing

TOUCHES = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e5)), min_size=1, max_size=40)


@given(values=st.lists(st.integers(0, 5), max_size=30), most=st.integers(1, 10))
def test_best_is_sorting_them_all(values: list[int], most: int) -> None:
    expected = sorted(range(len(values)), key=lambda place: (-values[place], place))[:most]
    assert best(np.array(values, np.float64), most).tolist() == expected


@given(touches=TOUCHES, busy=st.floats(0.01, 100))
def test_an_item_that_keeps_its_share_does_not_rise(
    touches: list[tuple[float, float]], busy: float
) -> None:
    long_run = np.array([each for _, each in touches])
    found = standing(long_run * busy, long_run, 10)
    assert len(found.rising) == 0, "a busy hour lifts all"
    assert len(found.top) == min(10, np.count_nonzero(long_run * busy > 0))


@given(touches=TOUCHES)
def test_what_rises_has_more_than_its_share(touches: list[tuple[float, float]]) -> None:
    lately, long_run = np.array(touches).T
    found = standing(lately, long_run, 10)
    assert len(found.rising) == len(found.pace) <= 10
    assert (found.pace > 1).all()
    assert (np.diff(lately[found.top]) <= 0).all()


def test_a_single_touch_of_something_new_is_no_rise_and_many_are() -> None:
    lately = np.array([50.0, 50.0, 1.0, 0.0])
    long_run = np.array([500.0, 500.0, 1.0, 0.0])
    assert standing(lately, long_run, 3).rising.tolist() == []
    lately[2] = long_run[2] = 20.0
    found = standing(lately, long_run, 3)
    assert found.rising.tolist() == [2]
    assert found.pace[0] > 5
