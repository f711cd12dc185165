"""Counters become rates and histograms percentiles, whatever restarts in between."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dashboard.flows import Flows, quantiles, ratio, trailing

BOUNDS = (0.01, 0.1, 1.0)
COUNTS = st.lists(st.integers(0, 50), min_size=4, max_size=4)


@given(
    grown=st.lists(
        st.tuples(st.floats(0.1, 10), st.integers(0, 1_000), st.booleans()), min_size=1, max_size=20
    )
)
def test_what_grew_is_counted_once_also_where_a_worker_begins_anew(
    grown: list[tuple[float, int, bool]],
) -> None:
    flows: Flows[str, str] = Flows()
    now, counter, total, expected = 0.0, 0, 0.0, 0
    assert flows.of("w", now, {"x": 0}) == {}, "the first look tells no rate"
    for passed, more, restarted in grown:
        now += passed
        if restarted and more < counter:
            counter = more
        else:
            counter += more
        expected += more
        total += flows.of("w", now, {"x": counter})["x"] * passed
    assert total == pytest.approx(expected)


def test_sources_are_apart_and_those_that_are_gone_are_forgotten() -> None:
    flows: Flows[str, str] = Flows()
    for source in ("a", "b"):
        flows.of(source, 0, {"x": 10})
    assert flows.of("a", 1, {"x": 12, "new": 3}) == {"x": 2, "new": 3}
    assert flows.of("a", 1, {"x": 99}) == {}, "no time has passed"
    flows.keep(["a"])
    assert flows.of("b", 2, {"x": 1_000}) == {}


@given(counts=COUNTS, values=st.data())
def test_quantiles_lie_in_the_bucket_of_the_true_one(
    counts: list[int], values: st.DataObject
) -> None:
    edges = [0.0, *BOUNDS]
    inside = [
        values.draw(st.floats(edges[n], (*BOUNDS, 5.0)[n], exclude_min=True))
        for n, count in enumerate(counts)
        for _ in range(count)
    ]
    rows = np.array([counts], np.float64)
    found = [float(quantiles(BOUNDS, rows, q)[0]) for q in (0.01, 0.5, 0.95, 1.0)]
    if not inside:
        assert np.isnan(found).all()
        return
    assert all(low <= high for low, high in pairwise(found))
    for q, quantile in zip((0.01, 0.5, 0.95, 1.0), found, strict=True):
        true = sorted(inside)[max(0, int(np.ceil(q * len(inside))) - 1)]
        bucket = int(np.searchsorted(BOUNDS, true))
        assert edges[min(bucket, 3)] <= quantile <= BOUNDS[min(bucket, 2)] + 1e-12


@given(counts=st.lists(COUNTS, min_size=1, max_size=5), factor=st.integers(2, 9))
def test_rows_are_apart_and_only_proportions_matter(counts: list[list[int]], factor: int) -> None:
    rows = np.array(counts, np.float64)
    together = quantiles(BOUNDS, rows, 0.9)
    alone = [quantiles(BOUNDS, row[None], 0.9)[0] for row in rows]
    assert np.array_equal(together, alone, equal_nan=True)
    assert np.allclose(quantiles(BOUNDS, rows * factor, 0.9), together, equal_nan=True)


@given(
    values=st.lists(st.one_of(st.just(np.nan), st.integers(0, 100)), max_size=30),
    points=st.integers(1, 40),
)
def test_trailing_sums(values: list[float], points: int) -> None:
    found = trailing(np.array(values, np.float64), points)
    expected = [np.nansum(values[max(0, n - points + 1) : n + 1]) for n in range(len(values))]
    assert np.allclose(found, expected)


def test_a_ratio_of_nothing_is_unknown() -> None:
    found = ratio(np.array([1.0, 0.0, 0.0]), np.array([2.0, 4.0, 0.0]))
    assert np.array_equal(found, [0.5, 0.0, np.nan], equal_nan=True)
