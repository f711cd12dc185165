"""Pairs stand in both lists, as a dict of all pairs says; full lists hold the closest."""

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranker.items import ItemIndex, ItemState
from ranker.pairs import PASSAGE_WEIGHT, TIE_FOLLOWED, TIE_FORWARD, TIE_PRECEDED
from tests.ranker.shops import name, seldom

ITEMS = 8
Row = dict[int, tuple[float, int]]  # source -> weight, passages

rows = st.dictionaries(
    st.integers(0, ITEMS - 1), st.tuples(st.integers(1, 40).map(lambda n: n / 8), st.integers(1, 9))
)
puts = st.lists(st.tuples(st.integers(0, ITEMS - 1), rows), max_size=30)


def state(c: int, row: Row) -> ItemState:
    return ItemState(
        item_id=name(c),
        predecessors=[name(x) for x in row],
        forward=np.array([weight for weight, _ in row.values()], np.float32),
        passages=np.array([passages for _, passages in row.values()], np.float32),
    )


def filled(told: list[tuple[int, Row]], neighbours: int) -> ItemIndex:
    index = ItemIndex(neighbours)
    for number in range(ITEMS):
        index.slot(name(number))
    index.put_many(state(c, row) for c, row in told)
    return index


def lists(index: ItemIndex) -> dict[int, dict[int, tuple[float, float, float]]]:
    """Return owner -> neighbour -> (forward, followed, preceded)."""
    columns = index.columns
    said = columns.ties[:, :, [TIE_FORWARD, TIE_FOLLOWED, TIE_PRECEDED]].tolist()
    return {
        owner: {
            int(columns.neighbours[owner, j]): tuple(said[owner][j])
            for j in range(columns.degree[owner])
        }
        for owner in range(ITEMS)
    }


def expected(told: list[tuple[int, Row]]) -> dict[int, dict[int, tuple[float, float, float]]]:
    newest = dict(told)
    found: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for c, row in newest.items():
        for x, (weight, passages) in row.items():
            found[x][c][0] = weight
            if x != c:  # an item does not go together with itself
                found[x][c][1] = passages
                found[c][x][2] = passages
    return {
        owner: {other: (a, b, c) for other, (a, b, c) in found[owner].items()}
        for owner in range(ITEMS)
    }


@seldom
@given(puts)
def test_lists_say_what_the_newest_rows_say(told: list[tuple[int, Row]]) -> None:
    index = filled(told, neighbours=ITEMS)
    assert lists(index) == expected(told)
    for owner, near in lists(index).items():
        assert index.columns.out_weight[owner] == sum(forward for forward, _, _ in near.values())


@seldom
@given(puts, st.integers(1, ITEMS), st.data())
def test_what_is_told_of_one_item_in_several_places_adds_up(
    told: list[tuple[int, Row]], neighbours: int, data: st.DataObject
) -> None:
    whole, torn = ItemIndex(neighbours), ItemIndex(neighbours)
    for index in (whole, torn):
        for number in range(ITEMS):
            index.slot(name(number))
    for c, row in told:
        again = data.draw(st.lists(st.sampled_from(sorted(row)), unique=True)) if row else []
        one, other = state(c, row), state(c, {x: row[x] for x in again})
        whole.put(
            state(c, {x: (2 * w, 2 * n) if x in again else (w, n) for x, (w, n) in row.items()})
        )
        torn.put(
            one._replace(
                predecessors=[*one.predecessors, *other.predecessors],
                forward=np.concatenate([one.forward, other.forward]),
                passages=np.concatenate([one.passages, other.passages]),
            )
        )
    assert lists(whole) == lists(torn)


@seldom
@given(puts)
def test_lists_of_any_history_stay_sound_when_they_are_full(told: list[tuple[int, Row]]) -> None:
    """What a full list holds is true, and what an item's list says it weighs is their sum."""
    index, whole = filled(told, neighbours=3), expected(told)
    for owner, near in lists(index).items():
        assert len(near) <= 3
        for other, said in near.items():
            truth = whole[owner].get(other, (0.0, 0.0, 0.0))
            assert all(one in {0.0, true} for one, true in zip(said, truth, strict=True))
            assert sum(said) > 0
        assert index.columns.out_weight[owner] == sum(forward for forward, _, _ in near.values())


def test_a_full_list_of_followers_holds_the_closest() -> None:
    weights = [1, 9, 2, 8, 7, 3]
    told: list[tuple[int, Row]] = [(c, {0: (float(w), w)}) for c, w in enumerate(weights, start=1)]
    assert set(lists(filled(told, neighbours=3))[0]) == {2, 4, 5}


def test_of_too_many_predecessors_the_closest_stay() -> None:
    row = {x: (float(w), w) for x, w in enumerate([1, 9, 2, 8, 7], start=1)}
    index = filled([(0, row)], neighbours=3)
    assert set(lists(index)[0]) == {2, 4, 5}
    assert [bool(index.columns.degree[x]) for x in range(1, 6)] == [False, True, False, True, True]


def test_a_full_list_takes_a_newcomer_once_it_has_grown_close_enough() -> None:
    told: list[tuple[int, Row]] = [(c, {0: (4.0, 4)}) for c in (1, 2, 3)]
    late = [(4, {0: (float(weight), weight)}) for weight in range(1, 7)]
    for weight, one in enumerate(late, start=1):
        told.append(one)
        closeness = weight * (1 + PASSAGE_WEIGHT)
        inside = 4 in lists(filled(told, neighbours=3))[0]
        assert inside == (closeness > 4 * (1 + PASSAGE_WEIGHT))


def test_a_list_has_room_again_for_what_was_turned_away_once_another_row_shrinks() -> None:
    told: list[tuple[int, Row]] = [(c, {0: (4.0, 4)}) for c in (1, 2, 3)]
    told += [(4, {0: (1.0, 1)}), (1, {}), (4, {0: (1.5, 1)})]
    assert set(lists(filled(told, neighbours=3))[0]) == {2, 3, 4}
