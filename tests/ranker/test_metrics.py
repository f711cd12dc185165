"""Metrics against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker import metrics

MOST = 40
POSITIONS = st.lists(st.integers(0, MOST), max_size=30)
K = st.integers(1, 25)


def counted(positions: list[int]) -> NDArray[np.int64]:
    return np.bincount(np.array(positions, np.int64), minlength=MOST + 1)


@given(positions=POSITIONS, k=K)
def test_position_metrics_are_ordered_and_bounded(positions: list[int], k: int) -> None:
    counts = counted(positions)
    hits, gain, reciprocal = (
        metric(counts, k) for metric in (metrics.hit_rate, metrics.ndcg, metrics.mrr)
    )
    assert 0 <= reciprocal <= gain + 1e-12 <= hits + 2e-12 <= 1 + 3e-12
    assert metrics.hit_rate(counts, k) <= metrics.hit_rate(counts, k + 1)


@given(positions=POSITIONS, k=K)
def test_position_metrics_are_means_over_lists(positions: list[int], k: int) -> None:
    counts = counted(positions)
    inside = [position for position in positions if 0 < position <= k]
    lists = max(1, len(positions))
    for metric, gains in (
        (metrics.hit_rate, [1.0 for _ in inside]),
        (metrics.mrr, [1 / position for position in inside]),
        (metrics.ndcg, [1 / np.log2(1 + position) for position in inside]),
    ):
        assert metric(counts, k) == pytest.approx(sum(gains) / lists)
    assert metrics.accuracy(counts) == pytest.approx(positions.count(1) / lists)


@given(positions=POSITIONS, k=K)
def test_precision_recall_and_f1_are_means_over_lists_of_one_relevant_item(
    positions: list[int], k: int
) -> None:
    hits = [1.0 if 0 < position <= k else 0.0 for position in positions]
    exact, complete = [hit / k for hit in hits], hits
    both = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(exact, complete, strict=True)]
    for metric, values in (
        (metrics.precision, exact),
        (metrics.recall, complete),
        (metrics.f1, both),
    ):
        assert metric(counted(positions), k) == pytest.approx(np.mean(values) if values else 0.0)


@given(scores=st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(scores: list[int]) -> None:
    taken = np.array([score % 2 == 0 for score in scores])
    values = np.array(scores, np.float64)
    pairs = [
        (values[i] > values[j]) + 0.5 * (values[i] == values[j])
        for i in np.flatnonzero(taken)
        for j in np.flatnonzero(~taken)
    ]
    assert metrics.auc(values, taken) == pytest.approx(np.mean(pairs) if pairs else 0.5)


def test_coverage_and_novelty_look_at_what_is_shown() -> None:
    shown = np.array([2, 1, 0, 1])
    assert metrics.coverage(shown, catalogue_size=10) == pytest.approx(3 / 10)
    assert metrics.novelty(shown, np.array([0.5, 0.25, 0, 0.25])) == pytest.approx(1.5)


@given(chances=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), min_size=1, max_size=10))
def test_calibration_error_is_how_far_chances_are_off(chances: list[tuple[int, float]]) -> None:
    counts = np.array([count for count, _ in chances])
    taken = np.array([round(count * chance) for count, chance in chances])
    assert metrics.calibration_error(counts, taken.astype(float), taken) == 0
    assert metrics.calibration_error(counts, taken + 0.25 * counts, taken) == pytest.approx(0.25)


def test_nothing_to_measure_measures_zero() -> None:
    none = np.zeros(6, np.int64)
    assert metrics.hit_rate(none, 5) == metrics.mrr(none, 5) == metrics.ndcg(none, 5) == 0
    assert metrics.coverage(none, 0) == metrics.novelty(none, np.zeros(6)) == 0
    assert metrics.calibration_error(none, np.zeros(6), none) == 0
