"""Memory of many numbers: what it tells is the mean of what was recorded, in bounded space."""

import math
from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.dashboard.ring import History, Ring

STEP, SLOTS = 2, 12
MOMENTS = st.lists(
    st.tuples(
        st.floats(-4, 3 * STEP * SLOTS),  # since the moment before; sometimes back
        st.one_of(st.just(math.nan), st.floats(-100, 100)),
    ),
    max_size=40,
)


@given(moments=MOMENTS, window_s=st.integers(1, 60), points=st.integers(1, 12))
def test_each_point_is_the_mean_of_its_span(
    moments: list[tuple[float, float]], window_s: int, points: int
) -> None:
    ring = Ring(STEP, SLOTS, 1)
    spans: defaultdict[int, list[float]] = defaultdict(list)
    now, newest = 1_000.0, None
    for passed, value in moments:
        now = max(0.0, now + passed)
        ring.add(now, [value])
        slot = int(now // STEP)
        if newest is None or slot >= newest:
            spans[slot].append(value)
            newest = slot
    told = ring.thinned(window_s, points)
    if newest is None:
        assert len(told.times) == 0
        return
    length = min(SLOTS, -(-window_s // STEP))
    joined = -(-length // points)
    assert len(told.times) <= points
    assert told.times[-1] == newest // joined * joined * STEP, "the newest is always there"
    assert (np.diff(told.times) == joined * STEP).all()
    for begin, (mean,) in zip(told.times.tolist(), told.values.tolist(), strict=True):
        slots = range(begin // STEP, begin // STEP + joined)
        inside = [v for slot in slots for v in spans.get(slot, []) if not math.isnan(v)]
        if inside:
            assert math.isclose(mean, sum(inside) / len(inside), abs_tol=1e-9)
        else:
            assert math.isnan(mean)


@given(steps=st.lists(st.integers(1, 500), min_size=1, max_size=60))
def test_a_point_that_is_past_stays_as_it_is(steps: list[int]) -> None:
    ring = Ring(1, 1_000, 1)
    now, before = 0, {0: 0.0}
    for step in steps:
        now += step
        ring.add(now, [float(now)])
        told = ring.thinned(900, 30)
        points = dict(zip(told.times.tolist(), told.values[:, 0].tolist(), strict=True))
        for begin in list(points.keys() & before.keys())[:-1]:
            if begin + 30 <= now - step:
                assert np.array_equal([points[begin]], [before[begin]], equal_nan=True)
        before = points


def test_a_day_is_kept_in_the_space_of_one() -> None:
    history = History(["a", "b"], 2)
    for second in range(0, 3 * 86_400, 30):
        history.add(second, [1.0, second])
    hour, day = history.thinned(3_600, 360), history.thinned(86_400, 360)
    assert len(hour.times) <= 360
    assert len(day.times) == 360 // (-(-1440 // 360) * 360 // 1440)
    assert day.times[-1] - day.times[0] > 80_000
    assert np.nanmax(day.values[:, 1]) <= 3 * 86_400
    assert (day.values[:, 0] == 1.0).all()
