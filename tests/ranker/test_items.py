"""The index: what is put is what is there, however often and in whatever order."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.columns import DATED, DAY_MS, HIDDEN, SHOWN
from ranker.items import BadItemState, ItemIndex, ItemState
from tests.ranker.shops import FACTORS, NOW, name, random_index, random_state, seldom

SEEDS = st.integers(0, 10_000)


def known(index: ItemIndex, item_id: str) -> dict[str, object]:
    """Return all that an index knows of an item, in terms of ids, not of its own slots."""
    slot = int(index.slots([item_id])[0])
    rows = index.columns
    lists = {"neighbours", "ties", "sources", "source_weights"}
    apart = lists | {"category", "leaf", "brand", "named_by", "least"}
    plain = {
        field: column[slot].tolist()
        for field, column in rows._asdict().items()
        if field not in apart
    }
    neighbours = {
        index.ids[rows.neighbours[slot, j]]: rows.ties[slot, j].tolist()
        for j in range(rows.degree[slot])
    }
    sources = {index.ids[source] for source in rows.sources[slot, : rows.sourced[slot]]}
    plain["out_weight"] = pytest.approx(plain["out_weight"])
    names = index.leaf_and_brand(item_id)
    return plain | {"names": names, "neighbours": neighbours, "sources": sources}


def searched(index: ItemIndex, word: str) -> dict[tuple[str, int], float]:
    found = index.search([word], [f"={word} lamp", word], 0)
    return {
        (index.ids[slot], kind): round(value, 5)
        for slot, value, kind in zip(*(part.tolist() for part in found), strict=True)
    }


@seldom
@given(seed=SEEDS, items=st.integers(1, 40))
def test_putting_again_changes_nothing(seed: int, items: int) -> None:
    index, rng = ItemIndex(factors=FACTORS), np.random.default_rng(seed)
    states = [random_state(number, items, rng) for number in range(items)]
    index.put_many(states)
    before = [known(index, state.item_id) for state in states], searched(index, "red"), len(index)
    index.put_many(states)
    after = [known(index, state.item_id) for state in states], searched(index, "red"), len(index)
    assert after == before


@seldom
@given(seed=SEEDS, items=st.integers(1, 40))
def test_only_the_last_state_of_an_item_counts(seed: int, items: int) -> None:
    rng = np.random.default_rng(seed)
    old = [random_state(number, items, rng) for number in range(items)]
    new = [random_state(int(number), items, rng) for number in rng.permutation(items)]
    through, straight = ItemIndex(factors=FACTORS), ItemIndex(factors=FACTORS)
    through.put_many([*old, *new])
    straight.put_many(new)
    for state in new:
        assert known(through, state.item_id) == known(straight, state.item_id)
        told = through.columns.out_weight[through.slot(state.item_id)]
        assert told == straight.columns.out_weight[straight.slot(state.item_id)]
    assert searched(through, "red") == searched(straight, "red")


@seldom
@given(seed=SEEDS)
def test_a_removed_item_is_known_by_nothing_but_its_slot(seed: int) -> None:
    index = random_index(20, seed)
    slot = index.slots([name(3)])[0]
    index.remove(name(3))
    index.remove("never seen")
    assert index.slots([name(3)])[0] == slot
    assert index.columns.status[slot] == HIDDEN
    assert not index.columns.sourced[slot]
    assert not index.has_vector[slot]
    assert not any(item_id == name(3) for item_id, _ in searched(index, "red"))


def test_slots_grow_with_the_ids_and_stay() -> None:
    index = ItemIndex(neighbours=2)
    first = index.columns
    slots = [index.slot(name(number)) for number in range(5000)]
    assert slots == list(range(5000))
    assert index.slots([name(7), "unknown", name(4999)]).tolist() == [7, -1, 4999]
    assert len(index.columns.degree) >= 5000 > len(first.degree)


def test_a_placeholder_is_hidden_until_its_state_comes() -> None:
    index = ItemIndex()
    one = np.ones(1, np.float32)
    index.put(ItemState(item_id="a", predecessors=("b",), forward=one, passages=one))
    assert index.columns.status[:2].tolist() == [SHOWN, HIDDEN]
    index.put(ItemState(item_id="b", available_to=NOW))
    assert index.columns.status[1] == DATED


@pytest.mark.parametrize("gone", [{"active": False}, {"in_stock": False}])
def test_deleted_and_sold_out_items_are_hidden(gone: dict[str, bool]) -> None:
    index = ItemIndex()
    index.put(ItemState(item_id="a", **gone))  # type: ignore[arg-type]  # flags by name
    assert index.columns.status[0] == HIDDEN


@pytest.mark.parametrize(
    "state",
    [
        ItemState(item_id="a", predecessors=("b",)),
        ItemState(item_id="a", factors=np.zeros(3, np.float32)),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(state: ItemState) -> None:
    index = ItemIndex()
    with pytest.raises(BadItemState, match="'a'"):
        index.put(state)
    assert len(index) == 0


@pytest.mark.parametrize("shape", [(2, 4), (1,)])
def test_vectors_must_be_one_row_an_item(shape: Sequence[int]) -> None:
    with pytest.raises(BadItemState, match="vectors"):
        ItemIndex().set_vectors(["a"], np.ones(shape, np.float32))


def test_vectors_of_a_new_model_replace_all_of_the_old() -> None:
    index = ItemIndex()
    index.set_vectors(["a", "b"], np.array([[3, 4], [0, 0]], np.float32))
    assert index.vectors[0] == pytest.approx([0.6, 0.8])
    assert index.has_vector[:2].tolist() == [True, False]
    index.set_vectors(["b"], np.ones((1, 3), np.float32))
    assert index.has_vector[:2].tolist() == [False, True]
    assert not index.vectors[0].any()


@given(
    counts=st.lists(st.tuples(st.floats(0.01, 1e6), st.integers(0, 400)), min_size=2, max_size=9)
)
def test_popular_keys_sort_as_popularity_does_at_any_time(
    counts: list[tuple[float, int]],
) -> None:
    index = ItemIndex()
    for number, (count, days) in enumerate(counts):
        index.put(
            ItemState(item_id=name(number), popularity=(count,) * 4, popularity_ts=days * DAY_MS)
        )
    now = index.popularity_at(401 * DAY_MS)
    keys = index.columns.popular_key[: len(counts)]
    for half_life in (2, 3):  # a day's popularity of a year ago is 0
        ranked = np.argsort(keys[:, half_life], kind="stable")
        assert (np.diff(now[ranked, half_life]) >= -1e-6 * now[ranked, half_life][1:]).all()


def test_popularity_halves_and_never_grows_backwards() -> None:
    index = ItemIndex()
    index.put(ItemState(item_id="a", popularity=(8,) * 4, popularity_ts=NOW))
    assert index.popularity_at(NOW + DAY_MS)[0, 1] == pytest.approx(4)
    assert index.popularity_at(NOW + 7 * DAY_MS)[0, 2] == pytest.approx(4)
    assert index.popularity_at(NOW - DAY_MS)[0].tolist() == [8, 8, 8, 8]


def test_every_change_is_counted() -> None:
    index = ItemIndex()
    seen = [index.changes]
    index.put(ItemState(item_id="a"))
    seen.append(index.changes)
    index.set_vectors(["a"], np.ones((1, 2), np.float32))
    seen.append(index.changes)
    index.remove("a")
    seen.append(index.changes)
    assert seen == sorted(set(seen))


def test_leaf_and_brand_are_those_put_last_and_empty_where_unknown() -> None:
    index, one = ItemIndex(factors=FACTORS), np.ones(1, np.float32)
    index.put(ItemState(item_id="a", category=("Kitchen", "Mugs"), brand="Acme"))
    index.put(ItemState(item_id="b", predecessors=("c",), forward=one, passages=one))
    assert index.leaf_and_brand("a") == ("Mugs", "Acme")
    assert {index.leaf_and_brand(item_id) for item_id in "bcd"} == {("", "")}
    index.put(ItemState(item_id="a", category=("Garden",)))
    assert index.leaf_and_brand("a") == ("Garden", "")
