"""Nearest items, by whichever way: the same lists, while vectors come, change and go."""

from collections.abc import Callable
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker import nearest as module
from ranker.cells import Cells, build
from ranker.columns import HIDDEN, SHOWN
from ranker.history import recent_of
from ranker.items import BadItemState, ItemIndex, ItemState
from ranker.nearest import Nearest
from ranker.probing import SORTED, nearest_in_cells
from ranker.selection import Space
from tests.ranker.shops import generated, name, queries_of, random_index, random_request, seldom
from tests.ranker.spaces import (
    DIMS,
    SEEDS,
    TOP,
    asked,
    consistent,
    exactly,
    rows_around,
    showing,
)


@seldom
@given(seed=SEEDS, items=st.integers(1, 64))
def test_pools_are_the_same_by_both_ways(seed: int, items: int) -> None:
    rng = np.random.default_rng(seed)
    exact = random_index(items, seed)
    requests = [random_request(exact, rng) for _ in range(3)]
    queries = queries_of(recent_of(requests), seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT_ITEMS", 5)
        index = random_index(items, seed)
        assert (index.near_vectors.cells is not None) == (len(index.near_vectors) > 5)
        assert (index.near_factors.cells is not None) == (len(index.near_factors) > 5)
        assert len(index.near_vectors) == index.has_vector.sum()
        assert len(index.near_factors) == index.columns.has_factors.sum()
        found, right = generated(requests, index, queries), generated(requests, exact, queries)
    for slots, others in zip(found.slots, right.slots, strict=True):
        assert set(slots.tolist()) == set(others.tolist())


@seldom
@given(seed=SEEDS)
def test_what_has_just_come_is_found_and_what_has_gone_is_not(seed: int) -> None:
    rng = np.random.default_rng(seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT_ITEMS", 20)
        index = random_index(60, seed)
        away = np.zeros((1, index.vectors.shape[1]), np.float32)
        away[0, int(rng.integers(len(away[0])))] = rng.choice([-1, 1])
        request = random_request(index, rng, query="", query_keys=(), terms=(), factors=None)

        def listed(item_id: str) -> bool:
            slots = generated([request], index, away).slots
            return int(index.slots([item_id])[0]) in slots

        for number in rng.integers(40, 90, 5).tolist():
            index.put(ItemState(item_id=name(number)))
            index.put_vectors([name(number)], away)
            assert listed(name(number))
            index.put(ItemState(item_id=name(number), in_stock=False))
            assert not listed(name(number))
            index.put(ItemState(item_id=name(number)))
            assert listed(name(number))
            index.remove(name(number))
            assert not listed(name(number))
        assert index.near_vectors.cells is not None
        consistent(index.near_vectors.cells, Space(index.vectors, index.has_vector))


def test_vectors_of_another_length_must_replace_all() -> None:
    index = ItemIndex()
    index.set_vectors(["a"], np.ones((1, 2), np.float32))
    with pytest.raises(BadItemState, match="set_vectors"):
        index.put_vectors(["b"], np.ones((1, 3), np.float32))
    index.put_vectors(["a", "b"], np.array([[0, 0], [3, 4]], np.float32))
    assert index.has_vector[:2].tolist() == [False, True]
    assert index.vectors[1] == pytest.approx([0.6, 0.8])


class Later:
    """Keeps jobs until they are asked for."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def __call__(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def run(self) -> None:
        (job,) = self.jobs
        self.jobs.clear()
        job()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EXACT_ITEMS", 50)


def test_a_list_that_may_show_few_of_very_many_finds_all_of_them() -> None:
    rng = np.random.default_rng(0)
    space = rows_around(20_000, rng)
    cells, queries = build(space), asked(space, 1, rng)
    assert len(cells.centres) > SORTED
    farness = np.where(space.known, -(space.vectors @ queries[0]), -np.inf)
    few = np.argsort(-farness)[:TOP]
    status = np.full(20_000, HIDDEN, np.int8)
    status[few] = SHOWN
    found = nearest_in_cells(showing(20_000, 1, status=status), queries, space, cells, TOP)
    assert set(found[0].tolist()) == set(few.tolist())


@pytest.mark.usefixtures("few")
def test_until_cells_are_built_all_rows_are_looked_at_and_changes_are_caught_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, later = np.random.default_rng(0), Later()
    space, near = rows_around(200, rng), Nearest(later)

    def change(slot: int) -> None:
        space.known[slot] = slot % 2
        space.vectors[slot] = rng.standard_normal(DIMS)
        near.follow(space, [slot])

    def slow(rows: Space) -> Cells:
        cells = build(rows)
        for slot in range(20, 60):
            change(slot)
        return cells

    monkeypatch.setattr(module, "build", slow)
    near.replace(space)
    assert near.cells is None
    queries, filters = asked(space, 3, rng), showing(200, 3)
    right = exactly(filters, queries, space, TOP)
    assert (near.search(filters, queries, space, TOP) == right).all()
    for slot in range(40):
        change(slot)
    later.run()
    assert near.cells is not None
    consistent(near.cells, space)
    for _ in range(2):  # as many changes as there were rows, and they are built again
        for slot in range(200):
            near.follow(space, [slot])
    before = near.cells
    later.run()
    assert near.cells is not before
    assert len(near) == space.known.sum()


@pytest.mark.usefixtures("few")
def test_rows_that_are_replaced_while_cells_are_built_are_what_the_cells_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng, later = np.random.default_rng(0), Later()
    old, new = rows_around(200, rng), rows_around(300, rng, DIMS + 1)
    near = Nearest(later)

    def slow(space: Space) -> Cells:
        if space is old:
            near.replace(new)
        return build(space)

    monkeypatch.setattr(module, "build", slow)
    near.replace(old)
    later.run()
    assert not later.jobs
    assert near.cells is not None
    consistent(near.cells, new)


@pytest.mark.usefixtures("few")
def test_a_building_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    space, near = rows_around(200, np.random.default_rng(0)), Nearest()

    def fail(_: Space) -> Cells:
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(module, "build", fail)
        with pytest.raises(MemoryError):
            near.replace(space)
    assert near.cells is None
    near.follow(space, [0])
    assert near.cells is not None


@pytest.mark.usefixtures("few")
def test_fewer_rows_are_all_looked_at_again() -> None:
    space, near = rows_around(200, np.random.default_rng(0)), Nearest()
    near.replace(space)
    assert near.cells is not None
    for slot in range(180):
        space.known[slot] = False
        near.follow(space, [slot])
    assert near.cells is None


@pytest.mark.usefixtures("few")
def test_searches_go_on_in_other_threads_while_rows_change_and_are_replaced() -> None:
    rng = np.random.default_rng(0)
    first = rows_around(400, rng)
    near, wrong, searches = Nearest(), list[str](), 0
    near.replace(first)
    newest, done = [first], False
    queries, filters = asked(first, 4, rng), showing(400, 4)

    def search() -> None:
        nonlocal searches
        while not done:
            found = near.search(filters, queries, newest[0], TOP)
            searches += 1
            for slots in found:
                real = slots[slots >= 0]
                if len(real) < TOP or real.max() >= 400 or (real % 10 == 9).any():
                    wrong.append(str(slots))

    for space in (first, others := rows_around(400, rng)):
        space.known[:], space.known[9::10] = True, False  # one in ten never is
    near.replace(first)
    thread = Thread(target=search)
    thread.start()
    for number in range(20):
        space = (first, others)[number % 2]
        newest[0] = space
        near.replace(space)
        for slot in rng.integers(0, 400, 100).tolist():
            space.vectors[slot] = rng.standard_normal(DIMS)
            near.follow(space, [slot])
    done = True
    thread.join()
    assert searches
    assert not wrong
    assert near.cells is not None
    consistent(near.cells, space)
