"""The scorer learns from outcomes, and heeds its network when that pays."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.vector import NAMES
from ranker.linear import BadRankerState, gates
from ranker.network import Network
from ranker.scorer import PATIENCE, STEP_LISTS, Scorer
from tests.ranker.shops import seldom

FEATURES = len(NAMES)
SEEDS = st.integers(0, 999)
_Floats = NDArray[np.float32]


def lists(seed: int, count: int = 6) -> tuple[_Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Return features, masks and targets; some lists have no candidate."""
    rng = np.random.default_rng(seed)
    mask = rng.random((count, 5)) < 0.8
    X = rng.random((count, 5, FEATURES), np.float32) * mask[..., None]
    return X, mask, np.where(mask.any(axis=1), mask.argmax(axis=1), -1)


def plain_gates(count: int) -> _Floats:
    lengths = np.full(count, 3, np.int32)
    return gates(lengths, lengths, np.zeros(count, np.bool_))


def taught(pick: str, rounds: int = 400, seed: int = 0) -> Scorer:
    """Return a scorer of users who take the highest "sum", or "product", of two features."""
    rng, scorer = np.random.default_rng(seed), Scorer(NAMES)
    for _ in range(rounds):
        X = np.zeros((STEP_LISTS, 8, FEATURES), np.float32)
        X[..., :2] = rng.uniform(-1, 1, (STEP_LISTS, 8, 2))
        worth = X[..., 0] + X[..., 1] if pick == "sum" else X[..., 0] * X[..., 1]
        mask = np.ones(X.shape[:2], np.bool_)
        scorer.learn(X, mask, plain_gates(len(X)), worth.argmax(axis=1))
    return scorer


def test_the_network_is_heeded_where_evidence_counts_together() -> None:
    scorer = taught("product")
    assert scorer.heeds_network
    assert scorer.losses[1] < scorer.losses[0] - 0.3


def test_a_scorer_is_as_good_as_the_better_of_both() -> None:
    scorer = taught("sum")
    better = scorer.losses.min()
    X, mask, _ = lists(0)
    gated = plain_gates(len(X))
    alone = scorer.linear.score(X, mask, gated)
    both = alone + scorer.network.score(X, gated)
    expected = both if scorer.heeds_network else alone
    assert scorer.losses[int(scorer.heeds_network)] == better
    np.testing.assert_array_equal(scorer.score(X, mask, gated), expected)


def test_the_network_says_nothing_before_it_was_patient() -> None:
    scorer = taught("product", rounds=PATIENCE - 1)
    assert scorer.losses[1] < scorer.losses[0]
    assert not scorer.heeds_network


@seldom
@given(seed=SEEDS)
def test_the_network_s_step_follows_the_gradient(seed: int) -> None:
    """What Adam is given, a tenth of which is its first mean, is what torch derives."""
    rng = np.random.default_rng(seed)
    network, gated = Network(3, seed), plain_gates(2)
    network.adam.arrays["last"][:] = rng.standard_normal((1, 16))
    X = rng.standard_normal((2, 4, 3)).astype(np.float32)
    slope = rng.standard_normal((2, 4)).astype(np.float32)
    names = ("first", "first_bias", "second", "second_bias", "last")
    weights = {name: torch.tensor(network.adam.arrays[name], requires_grad=True) for name in names}
    context = np.broadcast_to(gated[:, None, 1:], (2, 4, 3))
    inputs = np.concatenate([X, context], axis=2).reshape(8, 6).T / np.sqrt(np.float32(1 + 1e-4))
    first = (weights["first"] @ torch.from_numpy(inputs) + weights["first_bias"]).relu()
    second = (weights["second"] @ first + weights["second_bias"]).relu()
    logits = weights["last"] @ second
    torch.autograd.backward((logits[0] * torch.from_numpy(slope.ravel())).sum())
    said = list[_Floats]()

    def slope_of(logits: _Floats) -> _Floats:
        said.append(logits)
        return slope

    network.learn(X, gated, slope_of)
    assert said[0].ravel() == pytest.approx(logits.detach().numpy()[0], abs=1e-4)
    for name in names:
        gradient = weights[name].grad
        assert gradient is not None
        found = network.adam.arrays[f"mean.{name}"] * 10
        np.testing.assert_allclose(found, gradient.numpy(), rtol=1e-3, atol=1e-4)


@pytest.fixture(scope="module")
def experienced() -> Scorer:
    return taught("product", rounds=PATIENCE + 1)


@given(seed=SEEDS)
def test_permuted_candidates_have_permuted_scores(seed: int, experienced: Scorer) -> None:
    scorer = experienced
    X, mask, _ = lists(seed)
    order = np.random.default_rng(seed).permutation(X.shape[1])
    gated = plain_gates(len(X))
    mixed = scorer.score(X[:, order], mask[:, order], gated)
    assert mixed == pytest.approx(scorer.score(X, mask, gated)[:, order], rel=1e-3, abs=1e-3)


@seldom
@given(seed=SEEDS)
def test_learning_lowers_the_loss_of_what_was_learnt(seed: int) -> None:
    X, mask, target = lists(seed)
    scorer = Scorer(NAMES)
    losses = [scorer.learn(X, mask, plain_gates(len(X)), target) for _ in range(40)]
    assert losses[-1] <= losses[0] + 1e-6
    assert all(np.isfinite(array).all() for array in scorer.state_dict().values())


def test_lists_without_an_outcome_teach_nothing() -> None:
    X, mask, target = lists(1)
    scorer = Scorer(NAMES)
    before = scorer.state_dict()
    assert scorer.learn(X, mask, plain_gates(len(X)), np.full_like(target, -1)) == 0
    for name, array in scorer.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_order_of_a_batch_smaller_than_a_step_does_not_matter() -> None:
    X, mask, target = lists(4, 8)
    straight, mixed = Scorer(NAMES), Scorer(NAMES)
    order = np.random.default_rng(1).permutation(8)
    straight.learn(X, mask, plain_gates(8), target)
    mixed.learn(X[order], mask[order], plain_gates(8), target[order])
    assert mixed.linear.weights == pytest.approx(straight.linear.weights, abs=1e-5)


def test_a_saved_scorer_learns_on_as_if_never_saved() -> None:
    X, mask, target = lists(3)
    first, second = taught("product", rounds=3), Scorer(NAMES)
    second.load_state_dict(first.state_dict())
    for scorer in (first, second):
        scorer.learn(X, mask, plain_gates(6), target)
    for name, array in first.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[name], array)


@pytest.mark.parametrize("name", ["linear.weights", "network.first", "network.inputs", "losses"])
@pytest.mark.parametrize("wrong", ["shape", "value"])
def test_weights_of_other_features_or_of_nothing_are_refused(name: str, wrong: str) -> None:
    state = Scorer(NAMES).state_dict()
    state[name] = state[name][:-1] if wrong == "shape" else np.full_like(state[name], np.nan)
    with pytest.raises(BadRankerState, match=name):
        Scorer(NAMES).load_state_dict(state)


def test_the_network_heeds_nothing_that_it_has_never_seen() -> None:
    scorer = taught("product", rounds=PATIENCE + 1)
    X, _, _ = lists(3)
    lengths = np.full(len(X), 3, np.int32)
    for visited, searches in ((lengths, True), (lengths // 3, False)):
        gated = gates(lengths, visited, np.full(len(X), searches))
        said = scorer.network.score(X, gated)
        expected = np.zeros_like(said) if searches else scorer.network.score(X, plain_gates(len(X)))
        np.testing.assert_array_equal(said, expected)
