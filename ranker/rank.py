"""Make lists: candidates, features, a score for each, the best few, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ranker.candidates import generate
from ranker.diversity import LOOKED_AT, similarities, spread
from ranker.expectations import see_outcomes
from ranker.history import Recent, recent_of
from ranker.items import ItemIndex
from ranker.linear import gates, softmax
from ranker.reasons import NO_REASONS, Reasons, explain
from ranker.request import Request
from ranker.scorer import Scorer

_Floats = NDArray[np.float32]
Featurise = Callable[[_Floats, NDArray[np.bool_]], _Floats]  # (B, C, G), (B, C) -> (B, C, F)


class Ranking(NamedTuple):
    """One list: K <= k items, best first (where diversity is asked for, by what each adds)."""

    slots: NDArray[np.int32]  # (K,)
    scores: _Floats  # (K,) 0..1: softmax share among the candidates
    reasons: Reasons  # of each item, strongest first; of no item where none are wanted


_NOT_KEPT: _Floats = np.empty((0, 0, 0), np.float32)


class Model(Protocol):
    """What ranking needs of a model."""

    @property
    def scorer(self) -> Scorer:
        """Weighs the features."""

    @property
    def version(self) -> str:
        """Names the model in what it recommends."""

    def encode(self, recent: Recent, index: ItemIndex) -> tuple[_Floats, _Floats] | None:
        """Return queries (B, D) and attention per history position (B, H), newest first.

        A query's inner products with `index.vectors` are logits; a row of zeros has nothing to
        say. None: there is no attention model.
        """


@dataclass(slots=True, frozen=True)
class Ranked:
    """B lists, and what the ranker learns from once it is known what the users took.

    Attributes:
        rankings: the lists.
        slots: (B, C) all candidates, padded with -1.
        shares: (B, C) of the candidates, by the model: each list's sum to 1, 0 where padded.
        features: (B, C, F).
        gated: (B, 4) how far each weight vector counts.
        model_version: of the model that ranked.
        scores: (B, C, G) by the generators, as in `ranker.candidates`; empty in lists that are
            kept to learn from.
    """

    rankings: list[Ranking]
    slots: NDArray[np.int32]
    shares: _Floats
    features: _Floats
    gated: _Floats
    model_version: str
    scores: _Floats = field(default_factory=lambda: _NOT_KEPT)

    def targets(self, taken: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return each list's position of the item that its user took, -1 = not a candidate.

        Args:
            taken: (B,) slots, -1 = unknown.
        """
        hits = (self.slots == taken[:, None]) & (taken >= 0)[:, None]
        if not hits.size:
            return np.full(len(hits), -1)
        return np.where(hits.any(axis=1), hits.argmax(axis=1), -1)

    def only(self, position: int) -> "Ranked":
        """Return one list alone, without padding, in memory of its own."""
        row = slice(position, position + 1)
        size = int(np.count_nonzero(self.slots[position] >= 0))
        return Ranked(
            self.rankings[row],
            self.slots[row, :size].copy(),
            self.shares[row, :size].copy(),
            self.features[row, :size].copy("K"),  # feature by feature, as the network reads them
            self.gated[row].copy(),
            self.model_version,
        )

    @classmethod
    def together(cls, lists: Sequence["Ranked"]) -> "Ranked":
        """Return all lists of several, at least one, padded to the longest; the last one's version.

        What is learnt from them together is what would be from each row as it was.
        """
        most = max(one.slots.shape[1] for one in lists)
        planes = _padded([one.features.transpose(2, 0, 1) for one in lists], most, 0)
        return cls(
            [ranking for one in lists for ranking in one.rankings],
            _padded([one.slots for one in lists], most, -1),
            _padded([one.shares for one in lists], most, 0),
            planes.transpose(1, 2, 0),
            np.concatenate([one.gated for one in lists]),
            lists[-1].model_version,
        )

    def learn(self, scorer: Scorer, taken: NDArray[np.int32], index: ItemIndex) -> float:
        """Teach what the users took, (B,) slots; return the scorer's mean loss in nats.

        The scorer learns which evidence counts, the index what was wrongly expected of items.
        """
        targets = self.targets(taken)
        self.count(targets, index)
        return scorer.learn(self.features, self.slots >= 0, self.gated, targets)

    def count(self, targets: NDArray[np.int64], index: ItemIndex) -> None:
        """Count what the users took, as `targets` returns it, beside what was expected."""
        columns = index.columns
        see_outcomes(columns.taken, columns.expected, self.slots, self.shares, targets)


def rank(
    requests: Sequence[Request],
    index: ItemIndex,
    model: Model,
    featurise: Featurise,
    *,
    explained: bool = True,
) -> Ranked:
    """Make one list per request; each is the same whatever else is in the batch.

    Args:
        requests: B lists to make.
        index: all items.
        model: weights, and the attention model if there is one.
        featurise: turns the raw scores of `ranker.candidates.SCORES`, (B, C, G), and the mask of
            candidates, (B, C), into the features that the model's ranker was made for.
        explained: whether the lists carry reasons; they cost about as much as the ranking.
    """
    recent = recent_of(requests)
    encoded = model.encode(recent, index) if requests else None
    queries, attention = (None, None) if encoded is None else encoded
    candidates = generate(requests, recent, index, queries)
    mask = candidates.mask
    features = featurise(candidates.scores, mask)
    searches = np.array([request.is_search for request in requests], np.bool_)
    gated = gates(candidates.lengths, candidates.visited, searches)
    logits = model.scorer.score(features, mask, gated)
    shares = softmax(logits)
    best = _best(requests, index, candidates.slots, logits, shares)
    reasons = (
        explain(recent, index.columns, candidates, best, attention)
        if explained
        else [NO_REASONS] * len(requests)
    )
    rankings = []
    for b, request in enumerate(requests):
        chosen = best[b, : min(max(request.k, 0), int(mask[b].sum()))]
        rankings.append(
            Ranking(candidates.slots[b, chosen], shares[b, chosen], reasons[b].first(len(chosen)))
        )
    slots, scores = candidates.slots, candidates.scores
    return Ranked(rankings, slots, shares, features, gated, model.version, scores)


def _padded(parts: Sequence[NDArray[Any]], most: int, value: int) -> NDArray[Any]:
    """Return several (..., b, c) as one (..., B, most), each c being `most` at most."""
    lengths, first = [part.shape[-2] for part in parts], parts[0]
    padded = np.full((*first.shape[:-2], sum(lengths), most), value, first.dtype)
    begin = 0
    for part, length in zip(parts, lengths, strict=True):
        padded[..., begin : begin + length, : part.shape[-1]] = part
        begin += length
    return padded


def _best(
    requests: Sequence[Request],
    index: ItemIndex,
    slots: NDArray[np.int32],
    logits: _Floats,
    shares: _Floats,
) -> NDArray[np.int64]:
    """Return the positions of each list's best candidates, in the order in which they are shown."""
    lengths = np.array([max(request.k, 0) for request in requests], np.int64)
    most = int(lengths.max(initial=0))
    order = np.argsort(-logits, axis=1, kind="stable")
    strength = np.array([request.diversity for request in requests], np.float32)
    varied = np.flatnonzero(strength > 0)
    best = order[:, :most].copy()
    if len(varied) and best.shape[1]:
        looked = order[varied, : LOOKED_AT * most]
        rows = varied[:, None]
        relevance = shares[rows, looked] / np.maximum(shares.max(axis=1)[rows], np.float32(1e-12))
        seen = np.arange(looked.shape[1]) < LOOKED_AT * lengths[rows]
        real = seen & (slots[rows, looked] >= 0)
        relevance = np.where(real, relevance, np.float32(-np.inf))
        alike = similarities(index.columns, np.where(real, slots[rows, looked], -1))
        chosen = spread(relevance, alike, strength[varied], best.shape[1])
        best[varied] = np.take_along_axis(looked, chosen, axis=1)
    return best
