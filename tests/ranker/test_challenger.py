"""What is learnt ranks while it predicts better than what it began as, and does no harm else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from features.vector import NAMES
from ranker.challenger import Challenger
from ranker.linear import gates
from ranker.scorer import PATIENCE, STEP_LISTS, Scorer

CHOICES = 8
LENGTHS = np.full(STEP_LISTS, 3, np.int32)
GATED = gates(LENGTHS, LENGTHS, np.zeros(STEP_LISTS, np.bool_))
MASK = np.ones((STEP_LISTS, CHOICES), np.bool_)


def lists(rng: np.random.Generator) -> NDArray[np.float32]:
    X = np.zeros((STEP_LISTS, CHOICES, len(NAMES)), np.float32)
    X[..., :3] = rng.uniform(-1, 1, (STEP_LISTS, CHOICES, 3))
    return X


def blank() -> Scorer:
    """A scorer that finds all candidates alike: the best that can be said of noise."""
    scorer = Scorer(NAMES)
    scorer.linear.weights[:] = 0
    return scorer


def taught(challenger: Challenger, seed: int, *, noise: bool, rounds: int = 150) -> list[float]:
    rng, losses = np.random.default_rng(seed), []
    for _ in range(rounds):
        X = lists(rng)
        taken = rng.integers(0, CHOICES, STEP_LISTS) if noise else X[..., 0].argmax(axis=1)
        losses.append(challenger.learn(X, MASK, GATED, taken))
    return losses


@pytest.mark.parametrize("noise", [False, True])
def test_what_was_learnt_ranks_where_it_predicts_better(noise: bool) -> None:
    champion = blank()
    before = champion.state_dict()
    challenger = Challenger(champion)
    losses = taught(challenger, 1, noise=noise)
    X = lists(np.random.default_rng(2))
    assert challenger.prevails != noise
    assert (challenger.score(X, MASK, GATED) == champion.score(X, MASK, GATED)).all() == noise
    if not noise:
        assert losses[-1] < losses[0] - 0.1
    for name, array in champion.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_where_what_was_learnt_is_spoilt_the_champion_ranks_again() -> None:
    challenger = Challenger(blank())
    taught(challenger, 1, noise=False, rounds=PATIENCE // 2)  # the linear weights rank alone
    assert challenger.prevails
    for weights in (challenger.linear.weights, challenger.linear.adam.arrays["weights"]):
        weights[0, :3] = -5  # a mistake that learning does not mend soon
    losses = taught(challenger, 2, noise=False, rounds=40)
    assert not challenger.prevails
    assert losses[0] > 2 * np.log(CHOICES)
    assert losses[-1] == pytest.approx(np.log(CHOICES), rel=1e-5)


def test_one_that_has_learnt_nothing_ranks_as_its_champion() -> None:
    champion, X = Scorer(NAMES), lists(np.random.default_rng(5))
    challenger = Challenger(champion)
    assert not challenger.prevails
    expected = champion.score(X, MASK, GATED)
    np.testing.assert_array_equal(challenger.score(X, MASK, GATED), expected)
    np.testing.assert_array_equal(Scorer.score(challenger, X, MASK, GATED), expected)
