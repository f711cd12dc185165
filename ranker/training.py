"""Teach the attention model what came next, in every history and at every position of it."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.attention import AttentionRetrieval
from ranker.sampled_softmax import sampled_softmax
from ranker.sequences import Told, Windows, cut

_LATE = 2 / 3  # of the steps are done: from here on the learning rate is half
_Ints = NDArray[np.int64]


@dataclass(slots=True, frozen=True, kw_only=True)
class Recipe:
    """How to learn; one recipe serves every shop.

    Attributes:
        learning_rate: of Adam; half of it in the last third of the steps.
        negatives: items that every target of a batch is compared with; half of them are drawn
            uniformly, half as often as they occur. Of no more items than that: all of them.
        few_targets: in a batch at least: small sets need steps, not epochs.
        many_targets: in a batch at most: large sets need speed.
        steps: in an epoch, where these two allow.
        content_steps: of the tower that reads catalogue entries, for each epoch.
    """

    learning_rate: float = 2e-3
    negatives: int = 4096
    few_targets: int = 300
    many_targets: int = 2000
    steps: int = 400
    content_steps: int = 40


DEFAULT = Recipe()


class Progress(NamedTuple):
    """Where training stands after an epoch."""

    epoch: int  # from 1
    steps: int  # since the start
    loss: float  # of the epoch: mean cross-entropy per target, nats


class _Batch(NamedTuple):
    """One step's examples; places point into `rows`."""

    rows: Tensor  # (n,) of the item table, distinct; the first is the empty slot
    inputs: Tensor  # (B, L) places, left-padded with 0
    manners: Tensor  # (B, L) of the inputs
    targets: Tensor  # (B, L) places, 0 = none
    negatives: Tensor  # (M,) places
    log_expected: Tensor  # (M,) log of how many times each was to be drawn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch draw the same numbers every time, and outside as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def fit(
    model: AttentionRetrieval,
    sequences: Sequence[Told],
    *,
    epochs: int,
    seed: int,
    max_steps: int | None = None,
    recipe: Recipe = DEFAULT,
    progress: Callable[[Progress], None] | None = None,
) -> Progress:
    """Teach the model to predict each event of each history from those before it.

    A model that has learnt before goes on from there, and items that it does not have yet are
    added. Equal arguments give equal weights on one machine with one number of torch threads.

    Args:
        model: learns in place; it is left in evaluation mode.
        sequences: of each user; those shorter than two say nothing.
        epochs: times that each event is learnt.
        seed: where chance comes from.
        max_steps: stop after so many optimiser steps; None = after all epochs.
        recipe: how to learn.
        progress: called after each epoch.

    Returns:
        Where training ended; with nothing to learn from, after 0 steps with a loss of 0.

    Raises:
        ValueError: an item below 1.
    """
    windows = cut(sequences, model.config.history)
    if windows.events.min(initial=1) < 1:
        raise ValueError(f"item {windows.events.min()} is not in the table: its rows start at 1")
    with seeded(seed):
        model.grow(int(windows.events.max(initial=0)))
        learner = _Learner(model, windows, recipe)
        model.train()
        try:
            return _run(learner, epochs, max_steps, progress)
        finally:
            model.eval()


def _run(
    learner: "_Learner",
    epochs: int,
    max_steps: int | None,
    progress: Callable[[Progress], None] | None,
) -> Progress:
    planned = epochs * learner.steps_per_epoch
    planned = planned if max_steps is None else min(planned, max_steps)
    done = Progress(0, 0, 0.0)
    while done.steps < planned:
        loss, targets, steps = 0.0, 0, done.steps
        for batch, count in islice(learner.batches(), planned - steps):
            loss += count * learner.step(batch, rate=0.5 if steps >= _LATE * planned else 1.0)
            targets += count
            steps += 1
        done = Progress(done.epoch + 1, steps, loss / targets)
        if progress is not None:
            progress(done)
    return done


class _Learner:
    """A model, what it learns from, and the state of its optimiser.

    A step reads and changes only those rows of the item table that take part in it, so its cost
    does not grow with the catalogue.
    """

    def __init__(self, model: AttentionRetrieval, windows: Windows, recipe: Recipe) -> None:
        self._model, self._windows, self._recipe = model, windows, recipe
        total = int(windows.targets.sum())
        wanted = math.ceil(total / recipe.steps)
        self._per_batch = min(max(wanted, recipe.few_targets), recipe.many_targets)
        self.steps_per_epoch = math.ceil(total / self._per_batch)
        self._events = torch.from_numpy(windows.events)
        self._log_expected = self._expectation()
        self._rows = _RowAdam(model.items, recipe.learning_rate)
        others = [weights for name, weights in model.named_parameters() if name != "items"]
        self._others = torch.optim.Adam(others, recipe.learning_rate)

    def batches(self) -> Iterator[tuple[_Batch, int]]:
        """Yield one epoch in random order, each batch with the number of its targets.

        Windows of like length share a batch, so that little of it is padding.
        """
        windows = self._windows
        order = torch.randperm(len(windows.stop)).numpy()
        order = order[np.argsort((windows.stop - windows.begin)[order], kind="stable")]
        batch_of = (np.cumsum(windows.targets[order]) - 1) // self._per_batch
        batches = np.split(order, np.flatnonzero(np.diff(batch_of)) + 1)
        for index in torch.randperm(len(batches)).tolist():
            yield self._assemble(batches[index]), int(windows.targets[batches[index]].sum())

    def step(self, batch: _Batch, rate: float) -> float:
        """Take one optimiser step at a share of the learning rate; return the loss before it."""
        local = self._model.items.detach()[batch.rows].requires_grad_()
        loss = self._loss(batch, F.normalize(local, dim=-1))
        torch.autograd.backward(loss)
        for group in self._others.param_groups:
            group["lr"] = rate * self._recipe.learning_rate
        self._others.step()
        self._others.zero_grad()
        if local.grad is not None:
            self._rows.step(batch.rows[1:], local.grad[1:], rate)
        return float(loss.detach())

    def _loss(self, batch: _Batch, vectors: Tensor) -> Tensor:
        """Return the mean cross-entropy of the targets against the sampled negatives."""
        inputs = F.embedding(batch.inputs, vectors)
        queries, _ = self._model.read(inputs, batch.inputs > 0, batch.manners)
        learnt = batch.targets > 0
        return sampled_softmax(
            queries[learnt], vectors, batch.targets[learnt], batch.negatives, batch.log_expected
        )

    def _assemble(self, chosen: _Ints) -> _Batch:
        events, manners, begin, first, stop = self._windows
        length = int((stop - begin)[chosen].max())
        at = stop[chosen, None] - np.arange(length, 0, -1)  # (B, L) positions in events
        inputs = np.where(at >= begin[chosen, None], events[at], 0)
        came = torch.from_numpy(manners[np.maximum(at, 0)].astype(np.int64))
        targets = np.where(at >= first[chosen, None], events[at + 1], 0)
        negatives = self._draw()
        taken = [torch.from_numpy(part).flatten() for part in (inputs, targets)]
        rows, places = torch.unique(
            torch.cat([torch.zeros(1, dtype=torch.long), *taken, negatives]), return_inverse=True
        )
        placed = places[1:].split([inputs.size, targets.size, len(negatives)])
        return _Batch(
            rows,
            placed[0].view(inputs.shape),
            came,
            placed[1].view(targets.shape),
            placed[2],
            self._log_expected[negatives - 1],
        )

    def _draw(self) -> Tensor:
        items, negatives = len(self._model), self._recipe.negatives
        if items <= negatives:
            return torch.arange(1, items + 1)
        occurring = self._events[torch.randint(len(self._events), (negatives // 2,))]
        return torch.cat([torch.randint(1, items + 1, (negatives - len(occurring),)), occurring])

    def _expectation(self) -> Tensor:
        """Return the log of how many times `_draw` is expected to draw each item, (V,)."""
        items, negatives = len(self._model), self._recipe.negatives
        if items <= negatives:
            return torch.zeros(items)
        occurring = negatives // 2
        share = torch.bincount(self._events, minlength=items + 1)[1:] / len(self._events)
        return ((negatives - occurring) / items + occurring * share).log()


class _RowAdam:
    """Adam that keeps up only the rows that a step touches.

    Source: arXiv:1412.6980; lazy as torch.optim.SparseAdam.
    """

    def __init__(self, table: Tensor, rate: float) -> None:
        self._table, self._rate = table.detach(), rate
        self._mean, self._square = torch.zeros_like(self._table), torch.zeros_like(self._table)
        self._steps = 0

    def step(self, rows: Tensor, gradient: Tensor, rate: float) -> None:
        """Move distinct rows, (n,), by their gradient, (n, d), at a share of the learning rate."""
        self._steps += 1
        mean = self._mean[rows].lerp_(gradient, 1 - 0.9)
        square = self._square[rows].lerp_(gradient.square(), 1 - 0.999)
        self._mean.index_copy_(0, rows, mean)
        self._square.index_copy_(0, rows, square)
        unbiased = (square / (1 - 0.999**self._steps)).sqrt_().add_(1e-8)
        move = mean.div_(unbiased).mul_(-rate * self._rate / (1 - 0.9**self._steps))
        self._table.index_add_(0, rows, move)
