"""Cross-entropy of what came next against sampled others, a part of the targets at a time."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

AT_ONCE = 256
"""Targets of a part: its logits fit a cache, and no array grows with the batch."""


class _SampledSoftmax(torch.autograd.Function):
    """Works out loss and slopes in one go: what is kept for the way back is as small as inputs."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, known: Tensor, *sampled: Tensor) -> Tensor:
        targets, negatives, expected = sampled
        others = known[negatives]  # (M, d)
        taken = known[targets]  # (T, d)
        positive = (queries * taken).sum(-1)  # (T,)
        by_query, by_other = torch.empty_like(queries), torch.zeros_like(others)
        by_positive, losses = torch.empty_like(positive), torch.empty_like(positive)
        logits = queries.new_empty(min(AT_ONCE, len(queries)), len(others))
        for begin in range(0, len(queries), AT_ONCE):
            part = slice(begin, begin + AT_ONCE)
            asked = queries[part]
            room = logits[: len(asked)]
            torch.addmm(-expected, asked, others.T, out=room)  # (t, M)
            room.masked_fill_(targets[part, None] == negatives, -math.inf)
            against = room.logsumexp(dim=1)
            losses[part] = torch.nn.functional.softplus(against - positive[part])
            slope = torch.sigmoid(against - positive[part])  # of the loss by `against`, (t,)
            # Where all that was drawn is the target itself, there are only logits of -inf.
            shares = room.sub_(against.clamp(min=-1e30)[:, None]).exp_().mul_(slope[:, None])
            torch.mm(shares, others, out=by_query[part])
            by_other.addmm_(shares.T, asked)
            by_positive[part] = -slope
        by_query.addcmul_(by_positive[:, None], taken)
        by_known = torch.zeros_like(known)
        by_known.index_add_(0, negatives, by_other)
        by_known.index_add_(0, targets, by_positive[:, None] * queries)
        ctx.save_for_backward(by_query, by_known)
        return losses.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        by_query, by_known = ctx.saved_tensors
        scale = above / max(1, len(by_query))
        return by_query * scale, by_known * scale, None, None, None


def sampled_softmax(
    queries: Tensor, known: Tensor, targets: Tensor, negatives: Tensor, log_expected: Tensor
) -> Tensor:
    """Return the mean cross-entropy of targets against sampled negatives.

    What a negative adds to the sum of the softmax is divided by how often it was to be drawn, so
    that the sum is right on average over all items; where it is the target, it adds nothing.

    Args:
        queries: (T, d).
        known: (n, d) vectors; their inner products with queries are logits.
        targets: (T,) rows of `known`.
        negatives: (M,) rows of `known`.
        log_expected: (M,) log of how many times each was to be drawn.

    Source: sampled softmax, Bengio and Senecal, IEEE TNN 2008.
    """
    loss: Tensor = _SampledSoftmax.apply(queries, known, targets, negatives, log_expected)
    return loss
