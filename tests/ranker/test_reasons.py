"""Reasons: the strongest evidence of every shown item, as plain numpy would find it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.candidates import Candidates, generate
from ranker.history import Recent, recent_of
from ranker.items import ItemIndex
from ranker.reasons import LEAST_WEIGHT, MOST, NAMES, Reason, explain
from ranker.scores import SCORES
from tests.ranker.shops import VECTOR, queries_of, random_index, random_request, seldom

Evidence = dict[str, tuple[NDArray[np.float32], NDArray[np.int32]]]  # weight and item, (C,) each


def relative(values: NDArray[np.float32]) -> NDArray[np.float32]:
    share: NDArray[np.float32] = values / max(values.max(initial=0), np.float32(1e-30))
    return share


def close(logits: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    best = logits[known].max(initial=-np.inf)
    return np.where(known, np.exp(np.where(known, logits - best, 0)), 0)


def reference(
    index: ItemIndex,
    recent: Recent,
    candidates: Candidates,
    b: int,
    attention: NDArray[np.float32] | None,
) -> Evidence:
    """Return the weight of each kind of reason for the candidates of a list."""
    raw = dict(zip(SCORES, candidates.scores[b].T, strict=True))
    because, history = candidates.because[b], recent.slots[b]
    base = np.where(because >= 0, history[np.maximum(because, 0)], -1)
    nobody = np.full(len(base), -1)
    together = relative(raw["forward"] + raw["cosine"])
    bought = raw["bought"] > raw["forward"] / 2
    popular = raw["popular_7d"]
    queries = raw["query_exact"] + raw["query_squashed"] + raw["query_terms"]
    found = {
        "viewed_together": (together * ~bought, base),
        "bought_together": (together * bought, base),
        "attention": (np.zeros(len(base), np.float32), nobody),
        "bought_before": (raw["own_bought"], nobody),
        "query": (relative(queries), nobody),
        "title": (relative(raw["title"]), nobody),
        "taste": (close(raw["factors"], raw["factors_known"] > 0), nobody),
        "popular": (relative(popular), nobody),
        "popular_in_category": (relative(popular * raw["affinity_category"]), nobody),
    }
    if attention is not None:
        vectors = index.columns.vectors
        similar = vectors[candidates.slots[b]] @ vectors[history].T
        said = np.maximum(similar, 0) * np.where(history >= 0, attention[b], 0)
        share = said.max(axis=1) / np.maximum(said.sum(axis=1), 1e-12)
        weight = close(raw["attention"], raw["attention_known"] > 0) * share
        found["attention"] = (weight, np.where(share > 0, history[said.argmax(axis=1)], -1))
    return found


def told(evidence: Evidence, at: int) -> list[Reason]:
    """Return the reasons of one candidate."""
    weights = np.array([evidence[name][0][at] for name in NAMES])
    strongest = np.argsort(-weights, kind="stable")[:MOST]
    return [
        Reason(NAMES[kind], int(evidence[NAMES[kind]][1][at]), float(weights[kind]))
        for kind in strongest
        if weights[kind] >= LEAST_WEIGHT
    ]


def near(evidence: Evidence, at: int) -> bool:
    """Tell whether rounding may decide which reasons are told, or in what order."""
    weights = np.sort([*(weight[at] for weight, _ in evidence.values()), LEAST_WEIGHT])
    gaps = np.diff(weights)
    return bool(((gaps > 0) & (gaps < 1e-5)).any())


@seldom
@given(seed=st.integers(0, 10_000), attentive=st.booleans())
def test_the_strongest_reasons_are_told_with_what_they_rest_on(seed: int, attentive: bool) -> None:
    index, rng = random_index(50, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng, k=50) for _ in range(3)]
    recent = recent_of(requests)
    index.set_vectors(index.ids, rng.standard_normal((len(index), VECTOR)).astype(np.float32))
    attention = rng.random(recent.slots.shape).astype(np.float32) if attentive else None
    queries = queries_of(recent, seed) if attentive else None
    candidates = generate(requests, recent, index, queries)
    places = np.arange(candidates.slots.shape[1])
    found = explain(recent, index.columns, candidates, np.tile(places, (3, 1)), attention)
    for b, of_list in enumerate(found):
        evidence = reference(index, recent, candidates, b, attention)
        for at in np.flatnonzero(candidates.slots[b] >= 0).tolist():
            if near(evidence, at):
                continue
            expected = told(evidence, at)
            assert [(one.kind, one.slot) for one in of_list[at]] == [
                (one.kind, one.slot) for one in expected
            ]
            weights = [one.weight for one in expected]
            assert [one.weight for one in of_list[at]] == pytest.approx(weights, abs=1e-3)
