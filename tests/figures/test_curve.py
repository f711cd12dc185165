"""A curve says what happened when, in bounded memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.figures.curve import LEAST, POINTS, CurveOf
from tests.figures.made import ABSENT, listed

SHARES = (0.6, 0.3, 0.1)


@settings(max_examples=15)
@given(lists=st.integers(1, 3 * POINTS * LEAST), hit_from=st.integers(0, 2 * POINTS * LEAST))
def test_points_are_few_and_add_up_to_all_lists(lists: int, hit_from: int) -> None:
    found = {hit: listed(SHARES, 1 if hit else ABSENT) for hit in (True, False)}
    curve = CurveOf()
    for number in range(lists):
        curve.add(found[number >= hit_from])
    points = curve.curve("c").points
    assert 1 <= len(points) <= POINTS
    assert sum(point.lists for point in points) == lists
    assert len({point.lists for point in points[:-1]}) <= 1
    if len(points) > 1:
        assert 0.5 <= points[-1].lists / points[0].lists <= 1.5
    hits = sum(point.hr * point.lists for point in points)
    assert hits == pytest.approx(max(0, lists - hit_from), abs=0.5 + 1e-5 * lists)
    assert [point.hr for point in points] == sorted(point.hr for point in points)


def test_a_point_tells_its_last_event_and_the_mean_loss_where_there_is_one() -> None:
    curve = CurveOf()
    curve.add(listed(SHARES, ABSENT, number=7))
    (point,) = curve.curve("c").points
    assert (point.event, point.lists, point.hr, point.loss) == (7, 1, 0.0, None)
    curve.add(listed(SHARES, 2, k=2, number=9))  # a candidate that is not shown
    curve.add(listed(SHARES, 0, k=2, number=12))
    (point,) = curve.curve("c").points
    assert (point.event, point.lists) == (12, 3)
    assert point.hr == pytest.approx(1 / 3, abs=1e-5)
    assert point.loss == pytest.approx((2.302585 + 0.510826) / 2, abs=1e-5)
