"""The model between index and ranking: slots in, queries out, whatever was learnt or not."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.vector import NAMES, compute
from ranker.checkpoint import BadCheckpoint, Checkpoint, load_bytes, save_bytes
from ranker.evidence import HISTORY
from ranker.history import History, recent_of
from ranker.items import ItemIndex, ItemState
from ranker.model import Model
from ranker.rank import rank
from ranker.request import Request
from ranker.training import Recipe, seeded
from tests.ranker.histories import QUICK, a_click_a_second, shop_histories, touched
from tests.ranker.shops import NOW, name, random_index, random_request, seldom

SEEDS = st.integers(0, 10_000)


def trained(steps: int = 60) -> Model:
    model = Model(NAMES)
    model.fit(shop_histories(), epochs=9, seed=1, max_steps=steps, recipe=QUICK)
    return model


@pytest.fixture(scope="module")
def model() -> Model:
    """A model that has learnt a shop of twenty items."""
    return trained()


def test_without_training_there_is_nothing_to_encode() -> None:
    model, index = Model(NAMES), random_index(10, 0)
    before = index.vectors
    model.install(index)
    assert index.vectors is before
    assert model.encode(recent_of([Request(now=NOW, k=1)]), index) is None
    assert (model.version, model.item_ids) == ("generators", ())


def test_what_follows_in_histories_is_nearest_to_the_query(model: Model) -> None:
    index = ItemIndex()
    index.put_many(ItemState(item_id=name(i)) for i in range(20))
    model.install(index)
    requests = [touched(index, name(i + 1), name(i)) for i in range(18)]
    encoded = model.encode(recent_of(requests), index)
    assert encoded is not None
    best = (encoded[0] @ index.vectors[:20].T).argmax(axis=1)
    assert (best == index.slots([name(i + 2) for i in range(18)])).mean() > 0.8


@seldom
@given(seed=SEEDS)
def test_a_request_encodes_alike_alone_and_among_others(model: Model, seed: int) -> None:
    index, rng = random_index(30, seed), np.random.default_rng(seed)  # ten items are unknown
    model.install(index)
    requests = [random_request(index, rng) for _ in range(4)]
    together = model.encode(recent_of(requests), index)
    assert together is not None
    for b, request in enumerate(requests):
        alone = model.encode(recent_of([request]), index)
        assert alone is not None
        for one, many in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], many[b], rtol=1e-3, atol=1e-3)


@seldom
@given(seed=SEEDS)
def test_attention_lies_on_known_events_and_sums_to_one(model: Model, seed: int) -> None:
    index, rng = random_index(30, seed), np.random.default_rng(seed)
    model.install(index)
    request = random_request(index, rng)
    encoded = model.encode(recent_of([request]), index)
    assert encoded is not None
    queries, attention = encoded
    assert attention.shape == (1, HISTORY)
    known = np.isin(np.array(index.ids)[request.history], model.item_ids) & (request.history >= 0)
    positions = np.flatnonzero(known[:HISTORY])
    assert attention.sum() == pytest.approx(attention[0, positions].sum())
    assert attention.sum() == pytest.approx(1.0 if len(positions) else 0.0, abs=1e-3)
    assert queries.any() == bool(len(positions))


def test_items_that_come_later_find_their_vector_and_are_read(model: Model) -> None:
    index = ItemIndex()
    model.install(index)
    index.put(ItemState(item_id="unheard of"))
    index.put(ItemState(item_id=name(3)))
    assert index.has_vector[index.slots([name(3), "unheard of"])].tolist() == [True, False]
    encoded = model.encode(recent_of([touched(index, name(3))]), index)
    assert encoded is not None
    assert encoded[0].any()


def test_a_model_that_is_not_in_the_index_says_nothing(model: Model) -> None:
    index = random_index(10, 0)
    requests = [touched(index, name(3))]
    assert model.encode(recent_of(requests), index) is None
    again = trained(10)
    again.install(index)
    again.fit(shop_histories(), epochs=1, seed=0, recipe=QUICK)
    assert again.encode(recent_of(requests), index) is None  # those vectors are of what it was


def test_of_two_models_the_last_to_be_installed_is_in_the_index(model: Model) -> None:
    index, other = ItemIndex(), Model(NAMES)
    other.fit(a_click_a_second(["lamp", "desk", "lamp"]), epochs=1, seed=0)
    for installed in (model, other):
        installed.install(index)
    known = {index.ids[slot] for slot in np.flatnonzero(index.has_vector)}
    assert known == {"lamp", "desk"}
    assert len(index.vectors) >= len(index)


def test_a_fit_keeps_what_was_known_and_adds_new_items() -> None:
    model = trained(10)
    index, before = ItemIndex(), model.item_ids
    model.install(index)
    old = index.vectors[index.slots(before)].copy()
    model.fit(a_click_a_second(["lamp", "desk"]), epochs=1, seed=0, recipe=Recipe(negatives=0))
    model.install(index)
    assert model.item_ids == (*before, "lamp", "desk")
    np.testing.assert_allclose(index.vectors[index.slots(before)], old, atol=1e-6)


def test_a_fit_on_nothing_changes_nothing() -> None:
    model = Model(NAMES)
    assert model.fit(a_click_a_second([], ["lamp"]), epochs=3, seed=0).steps == 0
    assert model.version == "generators"


def test_equal_seeds_give_equal_versions_and_more_learning_another() -> None:
    first, second = trained(10), trained(10)
    assert first.version == second.version
    assert first.save() == second.save()
    second.fit(shop_histories(), epochs=1, seed=1, recipe=QUICK)
    assert second.version != first.version
    for model in (first, second):
        prefix, digest = model.version.rsplit("-", 1)
        assert (prefix, len(digest)) == ("attention", 8)


def test_items_that_no_fit_has_learnt_get_equal_vectors_too() -> None:
    """Nothing is drawn from what a process happens to have drawn before."""
    versions = set()
    for chance in (1, 2):
        with seeded(chance):
            made = Model(NAMES)
            made.fit(
                [*shop_histories(), *a_click_a_second(["seen once"])],
                epochs=1,
                seed=1,
                recipe=QUICK,
            )
        assert "seen once" in made.item_ids
        versions.add(made.version)
    assert len(versions) == 1


def test_a_checkpoint_ranks_as_the_model_did(model: Model) -> None:
    model.scorer.linear.weights[1] += 0.25  # has learnt since
    model.metrics["hr"] = 0.5
    back = Model.load(model.save(), NAMES)
    assert back.save() == model.save()
    assert back.metrics == {"hr": 0.5}
    index, rng = random_index(30, 7), np.random.default_rng(7)
    requests = [random_request(index, rng) for _ in range(5)]
    lists = []
    for either in (model, back):
        either.install(index)
        lists.append(rank(requests, index, either, compute).rankings)
    for one, other in zip(*lists, strict=True):
        np.testing.assert_array_equal(one.slots, other.slots)
        np.testing.assert_array_equal(one.scores, other.scores)
    assert back.fit(shop_histories(), epochs=1, seed=0, recipe=QUICK).steps > 0


def test_an_untrained_model_survives_a_checkpoint() -> None:
    model = Model(NAMES)
    model.scorer.linear.weights += 1
    back = Model.load(model.save(), NAMES)
    assert back.version == "generators"
    np.testing.assert_array_equal(back.scorer.linear.weights, model.scorer.linear.weights)


def change_config(checkpoint: Checkpoint, **given: object) -> Checkpoint:
    return replace(checkpoint, config={**checkpoint.config, **given})


def change_array(checkpoint: Checkpoint, name: str, array: NDArray[Any]) -> Checkpoint:
    return replace(checkpoint, arrays={**checkpoint.arrays, name: array})


@pytest.mark.parametrize(
    "change",
    [
        lambda c: replace(c, item_ids=c.item_ids[1:]),
        lambda c: replace(c, item_ids=[c.item_ids[0], *c.item_ids[:-1]]),
        lambda c: replace(c, arrays={}),
        lambda c: change_array(c, "attention.items", c.arrays["attention.items"] * np.nan),
        lambda c: change_array(c, "attention.items", c.arrays["attention.items"].astype(int)),
        lambda c: change_array(c, "attention.more", np.ones(2, np.float32)),
        lambda c: change_array(c, "ranker.linear.weights", np.ones(2, np.float32)),
        lambda c: change_config(c, heads=5),
        lambda c: change_config(c, history=10**12),
        lambda c: change_config(c, depth=2),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    model: Model, change: Callable[[Checkpoint], Checkpoint]
) -> None:
    changed = save_bytes(change(load_bytes(model.save(), NAMES)))
    with pytest.raises(BadCheckpoint, match="do not fit"):
        Model.load(changed, NAMES)


def test_loading_a_model_leaves_torchs_compiler_alone(tmp_path: Path) -> None:
    """A worker only ranks: the compiler would cost it 150 MB."""
    learnt = Model(NAMES)
    learnt.fit(a_click_a_second(["a", "b"], ["b", "c"]), epochs=1, seed=1)
    file = tmp_path / "model"
    file.write_bytes(learnt.save())
    program = (
        "import sys; from pathlib import Path; from ranker.model import Model\n"
        f"Model.load(Path({str(file)!r}).read_bytes(), {NAMES!r})\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_when_and_what_kind_of_events_they_were_is_read() -> None:
    came = ((1_000, 0), (86_400_000, 0), (1_000, 2))  # pause before the second event, and its kind
    model, index = Model(NAMES), ItemIndex()
    histories = [
        History.of([name(0), name(1), name(10 + n)], [0, pause, pause + 1_000], [0, kind, 0])
        for n, (pause, kind) in enumerate(came)
    ]
    model.fit(histories * 20, epochs=40, seed=0, recipe=QUICK)
    index.put_many(ItemState(item_id=name(i)) for i in range(20))
    model.install(index)
    asked = [touched(index, name(1), name(0)) for _ in came]
    for request, (pause, kind) in zip(asked, came, strict=True):
        request.history_times = np.array([NOW, NOW - pause])
        request.history_kinds = np.array([kind, 0], np.int8)
    encoded = model.encode(recent_of(asked), index)
    assert encoded is not None
    found = encoded[0] @ index.vectors[index.slots([name(10), name(11), name(12)])].T
    assert found.argmax(axis=1).tolist() == [0, 1, 2]
