"""Features: named, finite, and the same whatever else is in the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from features import vector
from ranker import candidates

RAW = arrays(
    np.float32,
    st.tuples(st.integers(1, 3), st.integers(1, 6), st.just(len(vector.SCORES))),
    elements=st.floats(0, 1e6, width=32),
)


def all_there(scores: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.ones(scores.shape[:2], np.bool_)


def test_both_packages_name_the_same_raw_scores() -> None:
    assert vector.SCORES == candidates.SCORES


def test_names_are_unique() -> None:
    assert len(set(vector.NAMES)) == len(vector.NAMES)


@given(scores=RAW)
def test_features_are_finite_and_one_a_name(scores: NDArray[np.float32]) -> None:
    found = vector.compute(scores, all_there(scores))
    assert found.shape == (*scores.shape[:2], len(vector.NAMES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@given(scores=RAW)
def test_nothing_known_is_zero(scores: NDArray[np.float32]) -> None:
    assert not vector.compute(np.zeros_like(scores), all_there(scores)).any()
    assert not vector.compute(scores, np.zeros(scores.shape[:2], np.bool_)).any()


@given(scores=RAW, seed=st.integers(0, 99))
def test_permuted_candidates_have_permuted_features(scores: NDArray[np.float32], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(scores.shape[1])
    mask = all_there(scores)
    straight, mixed = vector.compute(scores, mask), vector.compute(scores[:, order], mask)
    assert mixed == pytest.approx(straight[:, order], rel=1e-4, abs=1e-6)


@given(scores=RAW)
def test_padding_and_other_lists_change_nothing(scores: NDArray[np.float32]) -> None:
    padded = np.pad(scores, ((0, 1), (0, 2), (0, 0)))
    mask = np.pad(all_there(scores), ((0, 1), (0, 2)))
    wide = vector.compute(padded, mask)
    for b in range(len(scores)):
        alone = vector.compute(scores[b : b + 1], all_there(scores[b : b + 1]))
        assert wide[b, : scores.shape[1]] == pytest.approx(alone[0], rel=1e-4, abs=1e-6)
        assert not wide[b, scores.shape[1] :].any()


def test_an_empty_pool_has_no_features() -> None:
    scores = np.zeros((2, 0, len(vector.SCORES)), np.float32)
    assert vector.compute(scores, np.zeros((2, 0), np.bool_)).shape == (2, 0, len(vector.NAMES))


def test_other_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="SCORES"):
        vector.compute(np.zeros((1, 1, 3), np.float32), np.ones((1, 1), np.bool_))
