"""Metrics against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker import metrics

POSITIONS = st.lists(st.integers(0, 40), max_size=30)
K = st.integers(1, 25)


@given(positions=POSITIONS, k=K)
def test_position_metrics_are_ordered_and_bounded(positions: list[int], k: int) -> None:
    given_ = np.array(positions, np.int64)
    hits, gain, reciprocal = (
        metric(given_, k) for metric in (metrics.hit_rate, metrics.ndcg, metrics.mrr)
    )
    assert 0 <= reciprocal <= gain + 1e-12 <= hits + 2e-12 <= 1 + 3e-12
    assert metrics.hit_rate(given_, k) <= metrics.hit_rate(given_, k + 1)


def test_position_metrics_of_a_known_case() -> None:
    positions = np.array([1, 2, 0, 11])
    assert metrics.hit_rate(positions, 10) == 0.5
    assert metrics.mrr(positions, 10) == pytest.approx((1 + 0.5) / 4)
    assert metrics.ndcg(positions, 10) == pytest.approx((1 + 1 / np.log2(3)) / 4)


@given(positions=POSITIONS, k=K)
def test_precision_recall_and_f1_are_means_over_lists_of_one_relevant_item(
    positions: list[int], k: int
) -> None:
    hits = [1.0 if 0 < position <= k else 0.0 for position in positions]
    exact, complete = [hit / k for hit in hits], hits
    both = [2 * p * r / (p + r) if p + r else 0.0 for p, r in zip(exact, complete, strict=True)]
    given_ = np.array(positions, np.int64)
    for metric, values in (
        (metrics.precision, exact),
        (metrics.recall, complete),
        (metrics.f1, both),
    ):
        assert metric(given_, k) == pytest.approx(np.mean(values) if values else 0.0)


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
    lists = [["a", "b", "c"], ["a", "d"]]
    assert metrics.coverage(lists, catalogue_size=10, k=2) == pytest.approx(3 / 10)
    assert metrics.novelty(lists, {"a": 0.5, "b": 0.25, "d": 0.25}, k=2) == pytest.approx(1.5)


def test_nothing_to_measure_measures_zero() -> None:
    none = np.empty(0, np.int64)
    assert metrics.hit_rate(none, 5) == metrics.mrr(none, 5) == metrics.ndcg(none, 5) == 0
    assert metrics.coverage([], 0, 5) == metrics.novelty([], {}, 5) == 0
