"""Why an item is in a list: the evidence that speaks for it, strongest first."""

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.candidates import Candidates
from ranker.columns import Columns
from ranker.evidence import (
    BOUGHT,
    COSINE,
    FORWARD,
    OWN_BOUGHT,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    TITLE,
)
from ranker.history import Recent
from ranker.scores import (
    AFFINITY_CATEGORY,
    ATTENTION,
    ATTENTION_KNOWN,
    FACTORS,
    FACTORS_KNOWN,
    POPULAR_7D,
)
from ranker.selection import inner_product

MOST = 3  # reasons of one item
_PARTS = 1000.0  # of a weight are told; more digits say nothing to anybody and cost bytes
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
"""What each kind of reason says."""
NAMES = tuple(KINDS)
(
    _VIEWED_TOGETHER,
    _BOUGHT_TOGETHER,
    _ATTENTION,
    _BOUGHT_BEFORE,
    _QUERY,
    _TITLE,
    _TASTE,
    _POPULAR,
    _POPULAR_IN_CATEGORY,
) = range(len(NAMES))

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


class _Evidence(NamedTuple):
    """What is known of B lists of up to C candidates."""

    planes: _Floats  # (G, B, C) raw scores
    slots: NDArray[np.int32]  # (B, C)
    because: NDArray[np.int32]  # (B, C)
    history: NDArray[np.int32]  # (B, H) slots, newest first
    attention: _Floats  # (B, H)
    vectors: _Floats  # (cap, D) of items


class _Kinds(NamedTuple):
    """What each kind of reason says of one item."""

    weights: _Floats  # (9,)
    rests_on: NDArray[np.int32]  # (9,) items of the history, -1 = none


class _Told(NamedTuple):
    """The reasons of the items of B lists, strongest first."""

    kinds: NDArray[np.int8]  # (B, K, MOST)
    slots: NDArray[np.int32]  # likewise, the items that they rest on
    weights: NDArray[np.float64]  # likewise


def explain(
    recent: Recent,
    columns: Columns,
    candidates: Candidates,
    chosen: NDArray[np.int64],
    attention: _Floats | None,
) -> list[Reasons]:
    """Return up to `MOST` reasons of each chosen candidate, strongest first.

    Args:
        recent: the histories of B lists.
        columns: all items.
        candidates: their pools.
        chosen: (B, K) positions in the pools; past a list's end they may point anywhere.
        attention: (B, H) weight of each history position, newest first; None = no model.
    """
    shape = (*chosen.shape, MOST)
    told = _Told(np.zeros(shape, np.int8), np.full(shape, -1, np.int32), np.zeros(shape))
    evidence = _Evidence(
        planes=np.moveaxis(candidates.scores, -1, 0),
        slots=candidates.slots,
        because=candidates.because,
        history=recent.slots,
        attention=np.zeros(recent.slots.shape, np.float32) if attention is None else attention,
        vectors=columns.vectors,
    )
    _tell(evidence, chosen, told)
    return [
        Reasons(*of_a_list) for of_a_list in zip(*(part.tolist() for part in told), strict=True)
    ]


@kernel
def _tell(evidence: _Evidence, chosen: NDArray[np.int64], told: _Told) -> None:
    """Write the strongest reasons of every chosen candidate."""
    said = _Kinds(np.empty(len(NAMES), np.float32), np.empty(len(NAMES), np.int32))
    for b in range(len(chosen)):
        peaks = _peaks(evidence.planes[:, b])
        for k in range(chosen.shape[1]):
            _weigh(evidence, b, chosen[b, k], peaks, said)
            for place in range(MOST):
                kind = np.argmax(said.weights)  # of equals the first
                weight = said.weights[kind]
                if weight < LEAST_WEIGHT:
                    break
                told.kinds[b, k, place] = kind
                told.slots[b, k, place] = said.rests_on[kind]
                told.weights[b, k, place] = np.rint(weight * _PARTS) / _PARTS
                said.weights[kind] = 0.0


@kernel
def _peaks(planes: _Floats) -> _Floats:
    """Return what the best candidate of a list has of each kind of evidence, (9,)."""
    peaks = np.full(len(NAMES), 1e-30, np.float32)
    peaks[_ATTENTION] = peaks[_TASTE] = -1e30
    for i in range(planes.shape[1]):
        found = _evidence_of(planes[:, i])
        for kind in range(len(NAMES)):
            peaks[kind] = max(peaks[kind], found[kind])
    return peaks


@kernel
def _evidence_of(scores: _Floats) -> tuple[np.float32, ...]:
    """Return what speaks for a candidate, by kind; of together and of bought what both share."""
    together = scores[FORWARD] + scores[COSINE]
    query = scores[QUERY_EXACT] + scores[QUERY_SQUASHED] + scores[QUERY_TERMS]
    unknown = np.float32(-np.inf)
    popular = scores[POPULAR_7D]
    return (
        together,
        together,
        scores[ATTENTION] if scores[ATTENTION_KNOWN] > 0.0 else unknown,
        scores[OWN_BOUGHT],
        query,
        scores[TITLE],
        scores[FACTORS] if scores[FACTORS_KNOWN] > 0.0 else unknown,
        popular,
        popular * scores[AFFINITY_CATEGORY],
    )


@kernel
def _weigh(evidence: _Evidence, b: int, at: int, peaks: _Floats, said: _Kinds) -> None:
    """Write the weight of each kind for a candidate, and the item that it rests on."""
    scores, weights, rests_on = evidence.planes[:, b, at], said.weights, said.rests_on
    found = _evidence_of(scores)
    for kind in range(len(NAMES)):
        weights[kind] = found[kind] / peaks[kind]
        rests_on[kind] = -1
    for kind in (_ATTENTION, _TASTE):  # logits
        weights[kind] = math.exp(found[kind] - peaks[kind])
    bought = scores[BOUGHT] > scores[FORWARD] / 2
    weights[_VIEWED_TOGETHER if bought else _BOUGHT_TOGETHER] = 0.0
    weights[_BOUGHT_BEFORE] = scores[OWN_BOUGHT]
    because = evidence.because[b, at]
    if because >= 0:
        rests_on[_VIEWED_TOGETHER] = rests_on[_BOUGHT_TOGETHER] = evidence.history[b, because]
    if weights[_ATTENTION] >= LEAST_WEIGHT:
        share, item = _attended(evidence, b, evidence.slots[b, at])
        weights[_ATTENTION] *= share
        rests_on[_ATTENTION] = item


@kernel
def _attended(evidence: _Evidence, b: int, slot: int) -> tuple[np.float32, int]:
    """Return the greatest share of attention x similarity, and the item of the history with it."""
    best, total, item = np.float32(0.0), np.float32(0.0), -1
    vector = evidence.vectors[slot]
    for position in range(evidence.attention.shape[1]):
        weight, looked = evidence.attention[b, position], evidence.history[b, position]
        if weight <= 0.0 or not 0 <= looked < len(evidence.vectors):
            continue
        similar = inner_product(vector, evidence.vectors[looked])
        said = max(similar, np.float32(0.0)) * weight
        total += said
        if said > best:
            best, item = said, looked
    return best / max(total, np.float32(1e-12)), item
