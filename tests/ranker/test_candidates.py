"""The kernels against a plain reference, and what no pool may ever hold."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.session import SESSION_GAP_MS
from ranker.history import recent_of
from ranker.items import ItemIndex, ItemState
from ranker.request import Request
from ranker.scores import RANKED
from tests.ranker.reference import distinct, reference_neighbours, scores_of
from tests.ranker.shops import (
    HOUR,
    NOW,
    generated,
    queries_of,
    random_index,
    random_request,
    seldom,
)

SEEDS = st.integers(0, 10_000)


@seldom
@example(seed=120, items=39, half_life_ms=HOUR)  # what the user added leaves some rounding behind
@given(seed=SEEDS, items=st.integers(1, 60), half_life_ms=st.sampled_from([0, HOUR]))
def test_neighbour_scores_are_those_of_the_reference(
    seed: int, items: int, half_life_ms: int
) -> None:
    index, rng = random_index(items, seed, half_life_ms), np.random.default_rng(seed)
    request = random_request(index, rng, uncounted=int(rng.integers(0, 3)))
    found = scores_of(generated([request], index), 0)
    expected = reference_neighbours(request, index)
    for slot, values in found.items():
        for score in ("forward", "cosine", "lift", "bought"):
            assert values[score] == pytest.approx(expected[slot][score], rel=1e-4, abs=1e-6)
        assert 0 <= values["support"] - expected[slot]["support"] <= expected[slot]["faint"]
        for score in ("forward_last", "cosine_last", "lift_last"):
            assert values[score] == pytest.approx(expected[slot][score], rel=1e-4, abs=1e-6)


@seldom
@given(seed=SEEDS)
def test_the_best_neighbours_are_candidates(seed: int) -> None:
    index = random_index(60, seed)
    request = random_request(index, np.random.default_rng(seed))
    expected = reference_neighbours(request, index)
    servable = index.columns.status > 0
    best = sorted(
        (slot for slot, s in expected.items() if s["forward"] > 1e-6 and servable[slot]),
        key=lambda slot: -expected[slot]["forward"],
    )
    assert set(best[:40]) <= set(scores_of(generated([request], index), 0))


@seldom
@given(seed=SEEDS)
def test_attention_and_factors_are_inner_products_and_find_the_nearest(seed: int) -> None:
    index, rng = random_index(80, seed), np.random.default_rng(seed)
    request = random_request(index, rng)
    queries = queries_of(recent_of([request]), seed)
    found = scores_of(generated([request], index, queries), 0)
    products = index.vectors @ queries[0]
    last = next((slot for slot in request.history if slot >= 0), None)
    similar = np.zeros(len(index)) if last is None else index.vectors @ index.vectors[last]
    similar[slice(0) if last is None else last] = 0
    for slot, values in found.items():
        known = bool(index.has_vector[slot]) and bool(queries.any())
        assert values["attention_known"] == known
        assert values["attention"] == pytest.approx(products[slot] * known, abs=1e-4)
        assert values["similar_last"] == pytest.approx(similar[slot], abs=1e-5)
        if request.factors is not None and index.columns.has_factors[slot]:
            row = index.columns.factors[slot]
            expected = float(row[:-1] @ request.factors + row[-1])
            assert values["factors"] == pytest.approx(expected, abs=1e-4)
    if queries.any():
        usable = index.has_vector & (index.columns.status > 0)
        best = np.argsort(-np.where(usable, products, -np.inf))[: min(40, int(usable.sum()))]
        assert set(best.tolist()) <= set(found)


@seldom
@given(seed=SEEDS)
def test_popularity_decays_to_the_time_of_the_request(seed: int) -> None:
    index = random_index(30, seed)
    request = random_request(index, np.random.default_rng(seed), now=NOW + 48 * HOUR)
    expected = index.popularity_at(request.now)
    for slot, values in scores_of(generated([request], index), 0).items():
        shown = [values[f"popular_{after}"] for after in ("1h", "1d", "7d", "30d")]
        assert shown == pytest.approx(expected[slot].tolist(), rel=1e-3, abs=1e-9)


@seldom
@given(seed=SEEDS)
def test_the_most_popular_items_are_candidates_of_a_newcomer(seed: int) -> None:
    index = random_index(100, seed)
    slots = scores_of(generated([Request(now=NOW, k=5)], index), 0)
    for keys in index.columns.popular_key[:100].T:
        popular = np.where(index.columns.status[:100] > 0, keys, -np.inf)
        assert set(np.argsort(-popular)[:20].tolist()) <= set(slots)


@seldom
@given(seed=SEEDS)
def test_no_pool_holds_what_its_list_may_not_show(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    exclude = rng.integers(-1, 90, 12).astype(np.int32)
    requests = [random_request(index, rng, exclude=exclude) for _ in range(3)]
    requests.append(random_request(index, rng, exclude=exclude, given=np.arange(-2, 90)))
    candidates = generated(requests, index, queries_of(recent_of(requests), seed))
    for slots in candidates.slots:
        shown = slots[slots >= 0].tolist()
        assert len(shown) == len(set(shown))
        assert not set(shown) & set(exclude.tolist())
        assert (index.columns.status > 0)[shown].all()


@pytest.mark.parametrize(
    ("now", "shown"), [(NOW - 1, False), (NOW, True), (NOW + 9, True), (NOW + 10, False)]
)
def test_an_item_is_shown_only_while_it_is_available(*, now: int, shown: bool) -> None:
    index = ItemIndex()
    index.put(
        ItemState(
            item_id="ticket",
            available_from=NOW,
            available_to=NOW + 10,
            popularity=(1,) * 4,
            popularity_ts=NOW,
        )
    )
    assert (0 in generated([Request(now=now, k=5)], index).slots) is shown


@seldom
@given(seed=SEEDS)
def test_given_items_are_the_only_candidates_and_all_of_them(seed: int) -> None:
    index, rng = random_index(50, seed), np.random.default_rng(seed)
    given_slots = rng.integers(-1, 70, 20).astype(np.int32)
    candidates = generated([random_request(index, rng, given=given_slots)], index)
    inside = {int(s) for s in given_slots if 0 <= s < 50 and (index.columns.status > 0)[s]}
    assert set(scores_of(candidates, 0)) == inside


@seldom
@given(seed=SEEDS)
def test_a_request_alone_and_in_a_batch_has_the_same_candidates(seed: int) -> None:
    index, rng = random_index(70, seed), np.random.default_rng(seed)
    requests = [random_request(index, rng, now=NOW + b * HOUR) for b in range(4)]
    queries = queries_of(recent_of(requests), seed)
    together = generated(requests, index, queries)
    for b, request in enumerate(requests):
        alone = generated([request], index, queries[b : b + 1])
        size = alone.slots.shape[1]
        assert together.slots[b, :size].tolist() == alone.slots[0].tolist()
        assert (together.slots[b, size:] == -1).all()
        assert (together.scores[b, :size] == alone.scores[0]).all()
        assert together.because[b, :size].tolist() == alone.because[0].tolist()


@seldom
@given(seed=SEEDS)
def test_ranks_are_reciprocal_ranks_of_their_scores(seed: int) -> None:
    index, rng = random_index(50, seed), np.random.default_rng(seed)
    found = scores_of(generated([random_request(index, rng)], index), 0)
    for values in found.values():
        above = sum(other["forward"] > values["forward"] for other in found.values())
        ranked = values["forward"] > 0 and above < RANKED
        assert values["rank_forward"] == pytest.approx(ranked / (above + 1))


def len_of_visit(request: Request) -> int:
    """Count the newest touches between which, and now, no pause ends a visit."""
    times = [request.now, *request.history_times.tolist()]
    pauses = [later - earlier > SESSION_GAP_MS for later, earlier in pairwise(times)]
    return [*pauses, True].index(True)


@seldom
@given(seed=SEEDS)
def test_a_history_says_where_and_how_often_it_met_an_item(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    request = random_request(index, rng)
    history = request.history[:50].tolist()
    order = distinct(history)
    for slot, values in scores_of(generated([request], index), 0).items():
        assert values["own_count"] == history.count(slot)
        assert values["own_visit"] == history[: len_of_visit(request)].count(slot)
        assert values["own_position"] == (order.index(slot) + 1 if slot in order else 0)
        touches = len(history) - history.count(-1)
        again = 1 - len(order) / touches if slot in order else 0
        assert values["own_again"] == pytest.approx(again)
        bought = [request.history_kinds[i] == 2 for i, s in enumerate(history) if s == slot]
        assert values["own_bought"] == any(bought)


def test_what_a_history_added_itself_does_not_speak_for_it() -> None:
    index = ItemIndex()
    one = np.ones(1, np.float32)
    followers = [
        ItemState(item_id=name, predecessors=("a",), forward=one, passages=one) for name in "bc"
    ]
    index.put_many([ItemState(item_id="a", reach=2), *followers])
    request = Request(
        now=NOW,
        k=3,
        history=index.slots(["b", "a"]),
        history_kinds=np.zeros(2, np.int8),
        history_times=np.array([NOW, NOW - 1]),
    )
    counted = scores_of(generated([request], index), 0)
    assert counted[1]["forward"] == 0
    assert counted[2]["forward"] == pytest.approx(0.5 * 1 / 2)  # half near, out weight 2 - 1 + 1
    request.uncounted = 1  # the step from a to b has not reached the rows
    assert scores_of(generated([request], index), 0)[1]["forward"] > 0


def test_because_names_the_history_position_that_says_most() -> None:
    index = ItemIndex()
    none = np.zeros(2, np.float32)
    for item_id, forward in (("goal", [1.0, 50.0]), ("other", [98.0, 49.0])):
        after = np.array(forward, np.float32)
        index.put(
            ItemState(
                item_id=item_id, predecessors=("weak", "strong"), forward=after, passages=none
            )
        )
    request = Request(
        now=NOW,
        k=1,
        history=np.array([-1, 1, 2], np.int32),
        history_kinds=np.zeros(3, np.int8),
        history_times=np.full(3, NOW),
    )
    candidates = generated([request], index)
    assert candidates.because[0, candidates.slots[0].tolist().index(0)] == 2


@seldom
@given(seed=SEEDS, items=st.integers(0, 3))
def test_nothing_known_never_fails(seed: int, items: int) -> None:
    index, rng = random_index(items, seed), np.random.default_rng(seed)
    requests = [
        Request(now=0, k=5),
        Request(now=NOW, k=0, query="?", query_keys=("=?",), terms=("unheard",)),
        Request(now=NOW, k=5, given=np.empty(0, np.int32)),
        random_request(index, rng, history=np.full(9, 10**6, np.int32),
                       history_kinds=np.zeros(9, np.int8), history_times=np.full(9, NOW)),
    ]  # fmt: skip
    candidates = generated(requests, index, np.zeros((4, 3), np.float32))
    assert np.isfinite(candidates.scores).all()
    assert (candidates.slots < max(items, 1)).all()
    assert generated([], index).slots.shape[0] == 0


def test_a_search_finds_titles_and_what_earlier_searches_led_to() -> None:
    index = ItemIndex()
    index.put_many(
        [
            ItemState(item_id="lamp", terms=("red", "lamp")),
            ItemState(item_id="shade", terms=("shade",), query_counts={"=red lamp": 3, "lamp": 3}),
            ItemState(item_id="desk", terms=("desk",)),
        ]
    )
    found = scores_of(
        generated(
            [Request(now=NOW, k=5, query="red lamp", query_keys=("=red lamp", "red", "lamp"),
                     terms=("red", "lamp"))],
            index,
        ),
        0,
    )  # fmt: skip
    assert set(found) == {0, 1}
    assert found[0]["title"] > 0 == found[1]["title"]
    assert found[1]["query_exact"] == pytest.approx(3 / 4)
    assert found[1]["query_terms"] == pytest.approx(3 / 4 / 2)  # of two terms, one is known


@seldom
@given(seed=SEEDS)
def test_a_list_knows_how_much_of_its_history_is_of_the_visit_that_goes_on(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    request = random_request(index, rng)
    found = generated([request], index)
    history = request.history[:50].tolist()
    assert found.lengths.tolist() == [len(distinct(history))]
    assert found.visited.tolist() == [len(distinct(history[: len_of_visit(request)]))]
