"""Lists: sorted, filtered, explained, the same alone or in a batch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.vector import NAMES, compute
from ranker.history import Recent
from ranker.items import ItemIndex, ItemState
from ranker.rank import Ranked, Ranking, rank
from ranker.reasons import MOST
from ranker.request import Request
from ranker.scorer import Scorer
from ranker.scores import OVER_EXPECTED
from tests.ranker.shops import NOW, queries_of, random_index, random_request, seldom

SEEDS = st.integers(0, 10_000)


class PlainModel:
    """Generators and linear weights, no attention."""

    version = "generators"
    encoded: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def __init__(self) -> None:
        self.scorer = Scorer(NAMES)

    def encode(
        self, recent: Recent, index: ItemIndex
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        del recent, index
        return self.encoded


class AttentiveModel(PlainModel):
    """Random queries, and attention that fades with the position."""

    version = "attentive"

    def encode(
        self, recent: Recent, index: ItemIndex
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        del index
        fading = np.tile(0.5 ** np.arange(1, 51, dtype=np.float32), (len(recent.slots), 1))
        return queries_of(recent, 0), fading


def ranked(index: ItemIndex, *requests: Request, model: PlainModel | None = None) -> list[Ranking]:
    return rank(requests, index, model or AttentiveModel(), compute).rankings


@seldom
@given(seed=SEEDS)
def test_lists_are_sorted_without_repeats_and_no_longer_than_asked(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng, k=int(rng.integers(0, 30))) for _ in range(3)]
    for request, ranking in zip(requests, ranked(index, *requests), strict=True):
        assert len(ranking.slots) == len(ranking.scores) == len(ranking.reasons) <= request.k
        assert len(set(ranking.slots.tolist())) == len(ranking.slots)
        assert (np.diff(ranking.scores) <= 0).all()
        assert ((ranking.scores >= 0) & (ranking.scores <= 1)).all()


@seldom
@given(seed=SEEDS)
def test_a_list_is_the_same_alone_and_in_a_batch(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng) for _ in range(4)]
    for request, together in zip(requests, ranked(index, *requests), strict=True):
        alone = ranked(index, request)[0]
        assert alone.scores == pytest.approx(together.scores, rel=1e-3)
        apart = np.abs(np.diff(alone.scores)) > 1e-5
        if apart.all():
            assert alone.slots.tolist() == together.slots.tolist()
            assert [[r[:2] for r in of] for of in alone.reasons] == [
                [r[:2] for r in of] for of in together.reasons
            ]


@seldom
@given(seed=SEEDS)
def test_the_order_of_given_items_does_not_change_their_scores(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    items = rng.permutation(40)[:15].astype(np.int32)
    request = random_request(index, rng, given=items, k=15)
    first = ranked(index, request)[0]
    request.given = rng.permutation(items)
    second = ranked(index, request)[0]
    as_dict = dict(zip(second.slots.tolist(), second.scores.tolist(), strict=True))
    for slot, score in zip(first.slots.tolist(), first.scores.tolist(), strict=True):
        assert as_dict[slot] == pytest.approx(score, rel=1e-3, abs=1e-7)


@seldom
@given(seed=SEEDS)
def test_excluded_and_unservable_items_are_in_no_list(seed: int) -> None:
    index, rng = random_index(50, seed), np.random.default_rng(seed)
    exclude = rng.integers(0, 50, 25).astype(np.int32)
    ranking = ranked(index, random_request(index, rng, exclude=exclude, k=50))[0]
    assert not set(ranking.slots.tolist()) & set(exclude.tolist())
    assert (index.columns.status > 0)[ranking.slots].all()


@seldom
@given(seed=SEEDS)
def test_reasons_are_few_and_name_items_of_the_history(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    request = random_request(index, rng)
    history = set(request.history.tolist())
    for reasons in ranked(index, request)[0].reasons:
        assert len(reasons) <= MOST
        assert sorted((r.weight for r in reasons), reverse=True) == [r.weight for r in reasons]
        for reason in reasons:
            rests = reason.kind in {"viewed_together", "bought_together", "attention"}
            assert (reason.slot in history) if rests else (reason.slot == -1)
            assert 0 < reason.weight <= 1


def history_of(index: ItemIndex, *ids: str, kind: int = 0) -> dict[str, Any]:
    return {
        "history": index.slots(ids),
        "history_kinds": np.full(len(ids), kind, np.int8),
        "history_times": np.full(len(ids), NOW),
    }


@pytest.mark.parametrize(
    ("bought", "said"), [(0, "viewed_together"), (4, "viewed_together"), (5, "bought_together")]
)
def test_a_followed_item_comes_first_and_says_because_of_what(bought: float, said: str) -> None:
    index = ItemIndex()
    nine = np.full(1, 9, np.float32)
    index.put(ItemState(item_id="seen", reach=9))
    index.put(
        ItemState(
            item_id="next",
            predecessors=("seen",),
            forward=nine,
            passages=nine,
            bought=np.full(1, bought, np.float32),
            reach=9,
            in_weight=9,
        )
    )
    index.put(ItemState(item_id="famous", popularity=(9,) * 4, popularity_ts=NOW))
    request = Request(now=NOW, k=2, **history_of(index, "seen"))
    ranking = ranked(index, request, model=PlainModel())[0]
    assert [index.ids[slot] for slot in ranking.slots] == ["next", "famous"]
    kind, slot, weight = ranking.reasons[0][0]
    assert (kind, index.ids[slot]) == (said, "seen")
    assert weight == pytest.approx(1)
    assert ranking.reasons[1][0].kind == "popular"


def test_attention_names_the_item_it_rests_on() -> None:
    index = ItemIndex()
    index.put_many(ItemState(item_id=name) for name in ("like", "unlike", "goal"))
    index.set_vectors(["like", "unlike", "goal"], np.array([[1, 0.2], [0, 1], [1, 0]], np.float32))

    class Towards(AttentiveModel):
        def encode(
            self, recent: Recent, index: ItemIndex
        ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            del recent, index
            return np.array([[10, 0]], np.float32), np.full((1, 50), 0.5, np.float32)

    request = Request(now=NOW, k=1, given=index.slots(["goal"]),
                      **history_of(index, "unlike", "like"))  # fmt: skip
    reason = ranked(index, request, model=Towards())[0].reasons[0][0]
    assert (reason.kind, index.ids[reason.slot]) == ("attention", "like")


def test_searches_put_matches_first() -> None:
    index = ItemIndex()
    index.put(ItemState(item_id="famous", popularity=(99,) * 4, popularity_ts=NOW))
    index.put(ItemState(item_id="lamp", terms=("red", "lamp")))
    request = Request(now=NOW, k=2, query="red lamp", terms=("red", "lamp"))
    ranking = ranked(index, request, model=PlainModel())[0]
    assert [index.ids[slot] for slot in ranking.slots] == ["lamp", "famous"]
    assert ranking.reasons[0][0].kind == "title"


@seldom
@given(seed=SEEDS)
def test_learning_what_was_taken_raises_its_share(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    model = PlainModel()
    requests = [random_request(index, rng, k=40)]
    before = rank(requests, index, model, compute)
    if len(before.rankings[0].slots) < 2 or not np.ptp(before.features[0], axis=0).any():
        return
    taken = before.rankings[0].slots[-1:]
    losses = [before.learn(model.scorer, taken, index) for _ in range(20)]
    assert losses[-1] <= losses[0]


def test_learning_what_was_taken_tells_the_next_list_what_was_not_expected() -> None:
    index, model, request = random_index(40, 3), PlainModel(), Request(now=NOW, k=40)
    lists = rank([request], index, model, compute)
    taken = lists.rankings[0].slots[-1]
    lists.learn(model.scorer, np.array([taken]), index)
    after = rank([request], index, model, compute)
    said = dict(zip(after.slots[0].tolist(), after.scores[0, :, OVER_EXPECTED], strict=True))
    assert said.pop(int(taken)) > 0
    assert said
    assert all(value < 0 for value in said.values())


@seldom
@given(seed=SEEDS)
def test_lists_that_were_kept_apart_teach_as_they_would_have_together(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng) for _ in range(4)]
    at_once, later = PlainModel(), PlainModel()
    lists = rank(requests, index, at_once, compute)
    apart = [lists.only(position) for position in range(4)]
    assert all((one.slots >= 0).all() for one in apart)
    taken = np.array([one.slots[0, -1] if one.slots.size else -1 for one in apart], np.int32)
    loss = lists.learn(at_once.scorer, taken, index)
    assert Ranked.together(apart).learn(later.scorer, taken, index) == pytest.approx(loss, rel=1e-4)
    one, other = (model.scorer.linear.adam.arrays["mean.weights"] for model in (later, at_once))
    np.testing.assert_allclose(one, other, atol=1e-4)  # the gradients


def test_what_is_no_candidate_teaches_nothing() -> None:
    index, model = random_index(5, 1), PlainModel()
    lists = rank([Request(now=NOW, k=3)], index, model, compute)
    before = model.scorer.linear.weights.copy()
    assert lists.learn(model.scorer, np.array([-1], np.int32), index) == 0
    assert lists.learn(model.scorer, np.array([10**6], np.int32), index) == 0
    assert (model.scorer.linear.weights == before).all()
    assert not index.columns.expected.any()


@pytest.mark.parametrize("model", [PlainModel(), AttentiveModel()])
def test_an_empty_shop_gives_empty_lists(model: PlainModel) -> None:
    index = ItemIndex()
    assert rank([], index, model, compute).rankings == []
    for ranking in ranked(index, Request(now=NOW, k=5), Request(now=0, k=0), model=model):
        assert len(ranking.slots) == len(ranking.scores) == len(ranking.reasons) == 0
