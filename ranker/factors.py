"""Incremental matrix factorisation: r = mu + b_u + b_i + p_u q_i under a logistic loss.

Users and items live with different owners, so each side steps by itself with what it knows of the
other: a user's owner reads item factors from the index, an item's owner gets the user's factors
with the signal. Everything is pure, takes a whole batch at once and sums the gradients of a row
that comes more than once, so the order within a batch does not matter. Factors are clipped to a
box, so that no stream of events makes them infinite.

Shapes: E events, M negatives each, U own rows, d factors.

Sources: ISGD, Vinagre et al., UMAP 2014; sampled negatives as in BPR, Rendle et al., UAI 2009;
biases, Koren et al., IEEE Computer 2009.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float32]


class Rates(NamedTuple):
    """How factors learn; one set of values serves every shop."""

    learning: float = 0.08
    decay: float = 0.02  # L2 on factors and biases
    box: float = 4.0  # no coordinate or bias leaves +-box


DEFAULT = Rates()
FACTORS = 16
_FIRST_SCALE = 0.1
_SILENT = -1e9  # a logit whose chance, and so whose gradient, is 0


class Side(NamedTuple):
    """Factors and biases of one side, a row each."""

    factors: _Floats  # (n, d)
    bias: _Floats  # (n,)


class Seen(NamedTuple):
    """What E events of one side's rows say about the other side."""

    rows: NDArray[np.int64]  # (E,) which of the own rows acted or was acted on
    weights: _Floats  # (E,) how hard each pulls; 0 = skip
    positive: Side  # (E, d), (E,) the other side of each event
    negative: Side  # (E, M, d), (E, M) others that it was not


def new_side(rows: int, rng: np.random.Generator, factors: int = FACTORS) -> Side:
    """Return small random factors and no bias: all equal would learn all the same."""
    start = rng.normal(0, _FIRST_SCALE, (rows, factors)).astype(np.float32)
    return Side(start, np.zeros(rows, np.float32))


def sample_negatives(
    positives: NDArray[np.int64], candidates: int, count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return `count` rows below `candidates` for each event, none of them its own positive.

    Args:
        positives: (E,) the row that each event was about.
        candidates: rows to draw from, uniformly.
        count: how many for each event.
        rng: where chance comes from.

    Returns:
        (E, count), or (E, 0) where there is nothing but the positive to draw.
    """
    if candidates < 2:  # noqa: PLR2004  one is the positive itself
        return np.empty((len(positives), 0), np.int64)
    shift = rng.integers(1, candidates, (len(positives), count))
    return (positives[:, None] + shift) % candidates


def in_batch_negatives(other: Side, rows: NDArray[np.int64], count: int) -> Side:
    """Return the positives of `count` other events of the batch, as negatives of each event.

    An item's owner knows only the users who came with signals. Those of the same item are not
    negatives, so their place is taken by one whose bias makes it count for nothing.

    Args:
        other: (E, d), (E,) the positive of each event.
        rows: (E,) the own row of each event.
        count: how many.

    Returns:
        (E, count, d), (E, count).
    """
    events = len(rows)
    offsets = np.arange(1, count + 1)
    picked = (np.arange(events)[:, None] + offsets) % max(events, 1)
    real = rows[picked] != rows[:, None]
    factors = other.factors[picked] * real[:, :, None]
    bias = np.where(real, other.bias[picked], _SILENT)
    return Side(factors.astype(np.float32), bias.astype(np.float32))


def predict(own: Side, other: Side, mean: float = 0.0) -> _Floats:
    """Return the logits mean + b_u + b_i + p_u q_i of aligned rows, (n,)."""
    dots = np.einsum("nd,nd->n", own.factors, other.factors)
    logits: _Floats = dots + own.bias + other.bias + np.float32(mean)
    return logits


def loss(own: Side, seen: Seen, mean: float = 0.0) -> float:
    """Return the mean logistic loss over events and their negatives, in nats."""
    positive, negative = _logits(own, seen, mean)
    total = np.logaddexp(0, -positive).sum() + np.logaddexp(0, negative).sum()
    return float(total / max(1, positive.size + negative.size))


def step(own: Side, seen: Seen, mean: float = 0.0, rates: Rates = DEFAULT) -> Side:
    """Return the own side after one gradient step on a batch of events; the other side stays.

    The gradient of a row is the mean over its events, so that a row which comes often in one batch
    does not overshoot, times 1 + log of their number.

    Args:
        own: U rows, those of the batch.
        seen: the events.
        mean: mu, the logit of the mean event.
        rates: how fast.
    """
    positive, negative = _logits(own, seen, mean)
    toward = (seen.weights * _sigmoid(-positive)).astype(np.float32)  # (E,)
    spread = np.float32(1 / max(1, negative.shape[1]))  # negatives together weigh one positive
    away = (seen.weights[:, None] * _sigmoid(negative) * spread).astype(np.float32)  # (E, M)
    gradient = toward[:, None] * seen.positive.factors
    gradient -= np.einsum("em,emd->ed", away, seen.negative.factors)
    counts = np.bincount(seen.rows, seen.weights > 0, len(own.bias)).astype(np.float32)
    pace = (1 + np.log(np.maximum(counts, 1))) / np.maximum(counts, 1) * rates.learning
    factors, bias = np.zeros_like(own.factors), np.zeros_like(own.bias)
    np.add.at(factors, seen.rows, gradient)
    np.add.at(bias, seen.rows, toward - away.sum(axis=1))
    shrink = np.float32(rates.learning * rates.decay) * (counts > 0)
    return Side(
        _boxed(own.factors * (1 - shrink[:, None]) + factors * pace[:, None], rates.box),
        _boxed(own.bias * (1 - shrink) + bias * pace, rates.box),
    )


def _logits(own: Side, seen: Seen, mean: float) -> tuple[_Floats, _Floats]:
    """Return logits of the positives, (E,), and of the negatives, (E, M)."""
    factors, bias = own.factors[seen.rows], own.bias[seen.rows] + np.float32(mean)
    positive = np.einsum("ed,ed->e", factors, seen.positive.factors) + bias + seen.positive.bias
    negative = np.einsum("ed,emd->em", factors, seen.negative.factors)
    return positive, negative + bias[:, None] + seen.negative.bias


def _sigmoid(x: _Floats) -> _Floats:
    chance: _Floats = np.reciprocal(1 + np.exp(-np.clip(x, -30, 30)))
    return chance


def _boxed(values: NDArray[np.floating], box: float) -> _Floats:
    boxed: _Floats = np.clip(values, -box, box).astype(np.float32)
    return boxed
