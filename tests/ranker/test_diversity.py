"""Diversity: nothing at 0, each place by its definition else, alone as in a batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.vector import NAMES, compute
from ranker.diversity import similarities, spread
from ranker.items import ItemIndex, ItemState
from ranker.rank import rank
from ranker.request import Request
from ranker.scorer import Scorer
from tests.ranker.shops import NOW, name, random_index, random_request, seldom
from tests.ranker.test_rank import AttentiveModel

SEEDS = st.integers(0, 10_000)


@seldom
@given(seed=SEEDS, strength=st.floats(0, 1, width=32), k=st.integers(1, 12))
def test_every_place_is_the_best_of_what_is_left(seed: int, strength: float, k: int) -> None:
    rng = np.random.default_rng(seed)
    relevance = np.sort(rng.random((3, 12), np.float32))[:, ::-1]
    alike = rng.random((3, 12, 12), np.float32)
    chosen = spread(relevance, alike, np.full(3, strength, np.float32), k)
    for b in range(3):
        taken: list[int] = []
        for pick in chosen[b].tolist():
            worth = {
                i: (1 - strength) * relevance[b, i]
                - strength * max((alike[b, j, i] for j in taken), default=0)
                for i in range(12)
                if i not in taken
            }
            assert worth[pick] == pytest.approx(max(worth.values()), abs=1e-6)
            taken.append(pick)


def test_without_strength_the_order_stays_and_what_is_no_candidate_comes_last() -> None:
    relevance = np.array([[1.0, 0.5, -np.inf, -np.inf]], np.float32)
    alike = np.ones((1, 4, 4), np.float32)
    assert spread(relevance, alike, np.zeros(1, np.float32), 4).tolist() == [[0, 1, 2, 3]]
    assert spread(relevance, alike, np.ones(1, np.float32), 4).tolist() == [[0, 1, 2, 3]]


def test_items_are_alike_by_vector_else_by_category() -> None:
    index = ItemIndex()
    for number, category in enumerate([("a",), ("a",), (), ("b",)]):
        index.put(ItemState(item_id=name(number), category=category))
    index.set_vectors([name(2), name(3)], np.array([[1, 0], [0.6, 0.8]], np.float32))
    alike = similarities(index.columns, np.array([[0, 1, 2, 3, -1]], np.int32))[0]
    expected = np.diag([1.0, 1.0, 1.0, 1.0, 0.0])
    expected[0, 1] = expected[1, 0] = 1.0  # one category, no vectors
    expected[2, 3] = expected[3, 2] = 0.6
    assert alike == pytest.approx(expected, abs=1e-6)


@seldom
@given(seed=SEEDS)
def test_a_varied_list_is_the_same_alone_and_in_a_batch_and_leaves_others_alone(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng, k=int(rng.integers(1, 20))) for _ in range(4)]
    plain = rank(requests, index, AttentiveModel(), compute).rankings
    for request, strength in zip(requests, (0.0, 0.5, 0.0, 1.0), strict=True):
        request.diversity = strength
    varied = rank(requests, index, AttentiveModel(), compute).rankings
    for request, one, other in zip(requests, plain, varied, strict=True):
        assert len(one.slots) == len(other.slots)
        assert len(set(other.slots.tolist())) == len(other.slots)
        assert one.slots[:1].tolist() == other.slots[:1].tolist()
        if not request.diversity:
            assert one.slots.tolist() == other.slots.tolist()
    alone = rank(requests[1:2], index, AttentiveModel(), compute).rankings[0]
    if (np.abs(np.diff(np.sort(alone.scores))) > 1e-5).all():
        assert alone.slots.tolist() == varied[1].slots.tolist()


def test_a_varied_list_shows_another_kind_before_more_of_the_same() -> None:
    index = ItemIndex()
    for number in range(6):
        state = ItemState(
            item_id=name(number),
            category=("b",) if number == 5 else ("a",),
            popularity=(9 - number,) * 4,
        )
        index.put(state)
    model = AttentiveModel()
    model.scorer = Scorer(NAMES)
    request = Request(now=NOW, k=3)

    def shown() -> list[int]:
        return [int(slot) for slot in rank([request], index, model, compute).rankings[0].slots]

    assert 5 not in shown()
    request.diversity = 0.7
    assert shown()[1] == 5
