"""The loss of training, and its slopes, beside what autograd makes of the formula."""

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ranker.sampled_softmax import AT_ONCE, sampled_softmax
from tests.ranker.shops import seldom


def plain(
    queries: Tensor, known: Tensor, targets: Tensor, negatives: Tensor, log_expected: Tensor
) -> Tensor:
    positive = (queries * known[targets]).sum(-1)
    negative = queries @ known[negatives].T - log_expected
    negative = negative.masked_fill(targets[:, None] == negatives, -math.inf)
    return torch.nn.functional.softplus(negative.logsumexp(dim=1) - positive).mean()


@seldom
@given(
    seed=st.integers(0, 10_000),
    targets=st.sampled_from([1, 7, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE]),
    negatives=st.integers(2, 40),
)
def test_loss_and_slopes_are_those_of_the_formula(seed: int, targets: int, negatives: int) -> None:
    rng, items = np.random.default_rng(seed), 30
    rows = torch.from_numpy(rng.integers(0, items, targets))
    drawn = torch.from_numpy(np.append(rng.integers(0, items, negatives), [0, 1]))
    expected = torch.from_numpy(rng.standard_normal(negatives + 2).astype(np.float32))
    slopes = []
    for loss_of in (sampled_softmax, plain):
        draws = np.random.default_rng(seed)
        queries, known = (
            torch.tensor(draws.standard_normal((n, 8)), dtype=torch.float32, requires_grad=True)
            for n in (targets, items)
        )
        loss = loss_of(queries, known, rows, drawn, expected)
        torch.autograd.backward(3 * loss)
        slopes.append((loss.detach(), queries.grad, known.grad))
    for found, wanted in zip(*slopes, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_where_only_the_target_was_drawn_there_is_nothing_to_learn() -> None:
    queries = torch.ones(2, 4, requires_grad=True)
    known = torch.ones(3, 4, requires_grad=True)
    targets, negatives = torch.tensor([1, 1]), torch.tensor([1, 1])
    loss = sampled_softmax(queries, known, targets, negatives, torch.zeros(2))
    torch.autograd.backward(loss)
    assert loss.item() == 0
    for slope in (queries.grad, known.grad):
        assert slope is not None
        assert not slope.any()
