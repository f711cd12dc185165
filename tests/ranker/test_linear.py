"""The linear ranker scores lists apart; those with a query have weights of their own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.vector import NAMES
from ranker.linear import LinearRanker, gates, softmax

FEATURES = ("a", "b", "c")


def ranker() -> LinearRanker:
    return LinearRanker(FEATURES, prior={"a": 1.0}, prior_search={"b": 2.0})


def lists(seed: int, count: int = 6) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    mask = rng.random((count, 5)) < 0.8
    return rng.random((count, 5, len(FEATURES)), np.float32) * mask[..., None], mask


def plain_gates(count: int) -> NDArray[np.float32]:
    lengths = np.full(count, 3, np.int32)
    return gates(lengths, lengths, np.zeros(count, np.bool_))


def test_the_prior_names_features_that_exist() -> None:
    assert LinearRanker(NAMES).weights.any()
    with pytest.raises(ValueError, match="'nonsense'"):
        LinearRanker(FEATURES, prior={"nonsense": 1.0})


def test_gates_let_the_short_history_speak_and_the_search_alone() -> None:
    lengths = np.array([0, 50, 50, 50], np.int32)
    visited = np.array([0, 50, 1, 1], np.int32)
    gated = gates(lengths, visited, np.array([False, False, False, True]))
    assert gated[:, 0].tolist() == [1, 1, 1, 0]
    assert gated[0, 1] == pytest.approx(2)
    assert 0 < gated[1, 1] < 0.25
    assert gated[:3, 2].tolist() == [0, 0, pytest.approx(1 / (0.5 + np.log(2)) - gated[2, 1])]
    assert gated[3].tolist() == [0, 0, 0, 1]


def test_a_search_has_weights_of_its_own() -> None:
    X = np.array([[[1, 1, 1]]], np.float32)
    mask = np.ones((1, 1), np.bool_)
    lengths = np.zeros(1, np.int32)
    assert ranker().score(X, mask, gates(lengths, lengths, np.array([False])))[
        0, 0
    ] == pytest.approx(1)
    assert ranker().score(X, mask, gates(lengths, lengths, np.array([True])))[
        0, 0
    ] == pytest.approx(2)


@given(seed=st.integers(0, 999))
def test_permuted_candidates_have_permuted_scores(seed: int) -> None:
    X, mask = lists(seed)
    order = np.random.default_rng(seed).permutation(X.shape[1])
    gated = plain_gates(len(X))
    mixed = ranker().score(X[:, order], mask[:, order], gated)
    assert mixed == pytest.approx(ranker().score(X, mask, gated)[:, order], rel=1e-5)


def test_softmax_of_no_candidates_is_no_share() -> None:
    nothing = np.full((2, 3), -np.inf, np.float32)
    assert not softmax(nothing).any()
    assert softmax(np.zeros((2, 0), np.float32)).shape == (2, 0)
