"""Why an item is in a list: the evidence that speaks for it, strongest first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.candidates import SCORES, Candidates
from ranker.columns import Columns
from ranker.history import recent_of
from ranker.request import Request

MOST = 3  # reasons of one item
_DIGITS = 3  # of a weight; more say nothing to anybody and cost bytes
LEAST_WEIGHT = 0.05  # a reason that weighs less is not worth telling

ReasonKind = Literal[
    "viewed_together",
    "bought_together",
    "attention",
    "bought_before",
    "query",
    "title",
    "taste",
    "popular",
    "popular_in_category",
]
KINDS: Mapping[ReasonKind, str] = {
    "viewed_together": "others who came by `item_id` went on to this item",
    "bought_together": "others who came by `item_id` went on to this item, and most of them bought "
    "it",
    "attention": "the attention model, looking at the user's history, points here because of "
    "`item_id` most of all",
    "bought_before": "the user bought it",
    "query": "searches for the same led to it",
    "title": "its title matches the search",
    "taste": "it is close to the user's taste, by the matrix factorisation",
    "popular": "many act on it these days",
    "popular_in_category": "many act on it these days, in `category`, which the user leans to",
}
"""What each kind of reason says, in the order in which `_weigh` writes them."""
NAMES = tuple(KINDS)

_Floats = NDArray[np.float32]


class Reason(NamedTuple):
    """One piece of evidence for an item."""

    kind: ReasonKind
    slot: int  # the item of the history that it rests on, -1 = none
    weight: float  # 0..1, relative to the best candidate of the list by this evidence


class Reasons:
    """The reasons of each item of a list, as numbers until they are read.

    Args:
        kinds: of each item `MOST` places in `NAMES`, strongest first.
        slots: likewise, as `Reason.slot`.
        weights: likewise, as `Reason.weight`; 0 = there is no reason.
    """

    def __init__(
        self, kinds: list[list[int]], slots: list[list[int]], weights: list[list[float]]
    ) -> None:
        self._kinds, self._slots, self._weights = kinds, slots, weights

    def __len__(self) -> int:
        """Count the items."""
        return len(self._kinds)

    def __getitem__(self, place: int) -> tuple[Reason, ...]:
        """Return the reasons of one item."""
        told = self.numbers(place)
        return tuple([Reason(NAMES[kind], slot, weight) for kind, slot, weight in told if weight])

    def __iter__(self) -> Iterator[tuple[Reason, ...]]:
        """Yield those of each item."""
        return (self[place] for place in range(len(self)))

    def numbers(self, place: int) -> Iterator[tuple[int, int, float]]:
        """Yield kind, slot and weight of `MOST` reasons of one item."""
        return zip(self._kinds[place], self._slots[place], self._weights[place], strict=True)

    def first(self, count: int) -> "Reasons":
        """Return those of the first items."""
        return Reasons(self._kinds[:count], self._slots[:count], self._weights[:count])


NO_REASONS = Reasons([], [], [])


def explain(
    requests: Sequence[Request],
    columns: Columns,
    candidates: Candidates,
    chosen: NDArray[np.int64],
    attention: _Floats | None,
) -> list[Reasons]:
    """Return up to `MOST` reasons of each chosen candidate, strongest first.

    Args:
        requests: B lists.
        columns: all items.
        candidates: their pools.
        chosen: (B, K) positions in the pools; past a list's end they may point anywhere.
        attention: (B, H) weight of each history position, newest first; None = no model.
    """
    lists = np.arange(len(requests))[:, None]
    history = recent_of(requests).slots
    slots = candidates.slots[lists, chosen]
    because = candidates.because[lists, chosen]
    together = np.where(because >= 0, history[lists, np.maximum(because, 0)], -1)
    weights = np.zeros((*slots.shape, len(NAMES)), np.float32)
    rests_on = np.full(weights.shape, -1, np.int32)
    rests_on[..., 0] = rests_on[..., 1] = together
    _weigh(candidates, lists, chosen, weights)
    if attention is None or not columns.vectors.shape[1]:
        weights[..., 2] = 0
    else:
        share, rests_on[..., 2] = _attended(columns, history, attention, slots)
        weights[..., 2] *= share
    strongest = np.argsort(-weights, axis=2, kind="stable")[..., :MOST]
    told = np.take_along_axis(weights, strongest, axis=2).astype(np.float64).round(_DIGITS)
    told[told < LEAST_WEIGHT] = 0.0
    bases = np.take_along_axis(rests_on, strongest, axis=2)
    numbers = zip(strongest.tolist(), bases.tolist(), told.tolist(), strict=True)
    return [Reasons(*of_a_list) for of_a_list in numbers]


def _weigh(
    candidates: Candidates,
    lists: NDArray[np.int64],
    chosen: NDArray[np.int64],
    weights: _Floats,
) -> None:
    """Write the weight of every kind, of attention before its share is known, (B, K, 9)."""
    raw = {name: candidates.scores[..., i] for i, name in enumerate(SCORES)}
    query = raw["query_exact"] + raw["query_squashed"] + raw["query_terms"]
    together = _relative(raw["forward"] + raw["cosine"])
    bought = raw["bought"] > raw["forward"] / 2
    evidence = (
        together * ~bought,
        together * bought,
        _close(raw["attention"], raw["attention_known"]),
        raw["own_bought"],
        _relative(query),
        _relative(raw["title"]),
        _close(raw["factors"], raw["factors_known"]),
        _relative(raw["popular_7d"]),
        _relative(raw["popular_7d"] * raw["affinity_category"]),
    )
    for kind, values in enumerate(evidence):
        weights[..., kind] = values[lists, chosen]


def _relative(values: _Floats) -> _Floats:
    best = values.max(axis=1, keepdims=True, initial=0)
    relative: _Floats = values / np.maximum(best, np.float32(1e-30))
    return relative


def _close(logits: _Floats, known: _Floats) -> _Floats:
    seen = np.where(known > 0, logits, np.float32(-np.inf))
    best = seen.max(axis=1, keepdims=True, initial=np.float32(-1e30))
    ratio: _Floats = np.exp(np.minimum(logits - best, 0)) * (known > 0)
    return ratio


def _attended(
    columns: Columns,
    history: NDArray[np.int32],
    attention: _Floats,
    slots: NDArray[np.int32],
) -> tuple[_Floats, NDArray[np.int32]]:
    """Return the greatest share of attention x similarity, (B, K), and the item it falls on."""
    width = min(history.shape[1], attention.shape[1])
    looked, weight = history[:, :width], attention[:, :width]
    similar = np.matmul(columns.vectors[slots], columns.vectors[looked].transpose(0, 2, 1))
    said = np.maximum(similar, 0) * np.where(looked >= 0, weight, 0)[:, None, :]  # (B, K, H)
    most = said.argmax(axis=2)
    best = said.max(axis=2)
    share = best / np.maximum(said.sum(axis=2), np.float32(1e-12))
    base = np.where(best > 0, np.take_along_axis(looked, most, axis=1), -1)
    return share, base.astype(np.int32)
