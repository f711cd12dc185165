"""Factors: steps lower the loss, shared tastes meet, order does not matter, nothing explodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker import factors
from ranker.factors import DEFAULT, Seen, Side
from ranker.pool import TOP_FACTORS
from tests.ranker.reference import scores_of
from tests.ranker.shops import FACTORS, VECTOR, generated, random_index, random_request, seldom

SEEDS = st.integers(0, 999)


def random_seen(rng: np.random.Generator, rows: int, events: int, negatives: int = 3) -> Seen:
    def side(*shape: int) -> Side:
        return Side(
            rng.standard_normal((*shape, 8)).astype(np.float32),
            rng.standard_normal(shape).astype(np.float32),
        )

    return Seen(
        rows=rng.integers(0, rows, events),
        weights=rng.choice([1, 2], events).astype(np.float32),
        positive=side(events),
        negative=side(events, negatives),
    )


@given(seed=SEEDS)
def test_a_step_lowers_the_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    own, seen = factors.new_side(5, rng, 8), random_seen(rng, 5, 12)
    before = factors.loss(own, seen)
    for _ in range(20):
        own = factors.step(own, seen)
    assert factors.loss(own, seen) < before


@given(seed=SEEDS)
def test_the_order_of_a_batch_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    own, seen = factors.new_side(4, rng, 8), random_seen(rng, 4, 10)
    order = rng.permutation(10)
    mixed = Seen(
        seen.rows[order],
        seen.weights[order],
        Side(*(part[order] for part in seen.positive)),
        Side(*(part[order] for part in seen.negative)),
    )
    straight, shuffled = factors.step(own, seen), factors.step(own, mixed)
    assert shuffled.factors == pytest.approx(straight.factors, abs=1e-5)
    assert shuffled.bias == pytest.approx(straight.bias, abs=1e-5)


@given(seed=SEEDS, scale=st.sampled_from([0.0, 1.0, 1e4, 1e18]))
def test_nothing_explodes(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    own, seen = factors.new_side(3, rng, 8), random_seen(rng, 3, 20)
    loud = seen._replace(positive=Side(*(part * np.float32(scale) for part in seen.positive)))
    for _ in range(5):
        own = factors.step(own, loud)
    for part in own:
        assert np.isfinite(part).all()
        assert np.abs(part).max() <= DEFAULT.box


def test_rows_without_events_and_events_without_weight_change_nothing() -> None:
    rng = np.random.default_rng(0)
    own, seen = factors.new_side(3, rng, 8), random_seen(rng, 1, 4)
    after = factors.step(own, seen)
    assert (after.factors[1:] == own.factors[1:]).all()
    assert not (after.factors[0] == own.factors[0]).all()
    silent = factors.step(own, seen._replace(weights=np.zeros(4, np.float32)))
    assert (silent.factors == own.factors).all()


def learn_shop(
    events: list[tuple[int, int]], users: int, items: int, rng: np.random.Generator
) -> tuple[Side, Side]:
    """Fold events, a batch at a time, into both sides as their owners do."""
    people, things = factors.new_side(users, rng), factors.new_side(items, rng)
    for begin in range(0, len(events), 50):
        who, what = np.array(events[begin : begin + 50]).T
        wrong = factors.sample_negatives(what, items, 3, rng)
        ones = np.ones(len(who), np.float32)
        positive = Side(things.factors[what], things.bias[what])
        negative = Side(things.factors[wrong], things.bias[wrong])
        visitors = Side(people.factors[who], people.bias[who])
        people = factors.step(people, Seen(who, ones, positive, negative))
        others = factors.in_batch_negatives(visitors, what, 3)
        things = factors.step(things, Seen(what, ones, visitors, others))
    return people, things


def test_users_and_items_of_shared_tastes_meet() -> None:
    rng = np.random.default_rng(7)
    users, items = 40, 30
    taste = np.arange(users) % 3  # a user only likes the items of one group in three
    events = []
    for _ in range(6000):
        user = int(rng.integers(users))
        events.append((user, int(rng.integers(items // 3)) * 3 + int(taste[user])))
    people, things = learn_shop(events, users, items, rng)
    scores = people.factors @ things.factors.T + things.bias
    own = taste[:, None] == np.arange(items)[None, :] % 3
    assert (scores[own].mean() - scores[~own].mean()) > 1
    best = np.argsort(-scores, axis=1)[:, :5]
    assert own[np.arange(users)[:, None], best].mean() > 0.9


@given(positives=st.lists(st.integers(0, 9), max_size=20), seed=SEEDS)
def test_negatives_are_never_the_positive(positives: list[int], seed: int) -> None:
    rows: NDArray[np.int64] = np.array(positives, np.int64)
    drawn = factors.sample_negatives(rows, 10, 4, np.random.default_rng(seed))
    assert drawn.shape == (len(rows), 4)
    assert (drawn != rows[:, None]).all()
    assert ((drawn >= 0) & (drawn < 10)).all()


def test_a_lone_item_has_no_negatives() -> None:
    rng = np.random.default_rng(0)
    assert factors.sample_negatives(np.zeros(3, np.int64), 1, 4, rng).shape == (3, 0)


def test_users_of_the_same_item_are_not_its_negatives() -> None:
    side = Side(np.ones((3, 2), np.float32), np.ones(3, np.float32))
    others = factors.in_batch_negatives(side, np.array([5, 5, 6]), 2)
    assert others.factors[0].tolist() == [[0, 0], [1, 1]]
    assert others.bias[2].tolist() == [1, 1]
    own = Side(np.zeros((1, 2), np.float32), np.zeros(1, np.float32))
    lone = Side(side.factors[:1] * 0, side.bias[:1] * 0)
    after = factors.step(
        own,
        Seen(np.zeros(1, np.int64), np.ones(1, np.float32), lone,
             factors.in_batch_negatives(side._replace(factors=side.factors[:1], bias=side.bias[:1]),
                                        np.zeros(1, np.int64), 2)),
    )  # fmt: skip
    assert after.bias[0] > 0  # towards the one event, away from nobody


def test_predictions_are_biases_and_inner_products() -> None:
    user = Side(np.array([[1, 2]], np.float32), np.array([0.5], np.float32))
    item = Side(np.array([[3, -1]], np.float32), np.array([0.25], np.float32))
    assert factors.predict(user, item, mean=-1.0)[0] == pytest.approx(1 + 0.75 - 1)


@seldom
@given(seed=SEEDS)
def test_factors_find_items_for_users_of_whom_the_attention_model_says_nothing(seed: int) -> None:
    index, rng = random_index(300, seed), np.random.default_rng(seed)
    taste = rng.standard_normal(FACTORS).astype(np.float32)
    request = random_request(index, rng, factors=taste)
    columns = index.columns
    products = columns.factors[:, :-1] @ taste + columns.factors[:, -1]
    usable = columns.has_factors & (columns.status > 0)
    best = np.argsort(-np.where(usable, products, -np.inf))[:TOP_FACTORS]
    silent = np.zeros((1, VECTOR), np.float32)
    for queries in (None, silent):
        assert set(best.tolist()) <= set(scores_of(generated([request], index, queries), 0))
