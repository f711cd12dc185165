"""Nearest items by cells: what brute force finds, and never what a list may not show."""

from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker import nearest as module
from ranker.candidates import generate
from ranker.cells import Cells, build, put
from ranker.columns import DATED, HIDDEN, SHOWN
from ranker.items import BadItemState, ItemIndex, ItemState
from ranker.nearest import Nearest
from ranker.probing import PROBES, SORTED, nearest_in_cells
from ranker.selection import Filters, Space, nearest
from tests.ranker.shops import NOW, name, queries_of, random_index, random_request, seldom

SEEDS = st.integers(0, 10_000)
DIMS = 6
TOP = 10


def rows_around(items: int, rng: np.random.Generator, dims: int = DIMS) -> Space:
    """Return rows in clusters, of any length; one in ten is not known."""
    centres = rng.standard_normal((max(1, items // 40), dims))
    rows = centres[rng.integers(0, len(centres), items)] * rng.uniform(0.5, 2, (items, 1))
    rows += rng.standard_normal((items, dims)) / 3
    return Space(rows.astype(np.float32), rng.random(items) < 0.9)


def asked(space: Space, lists: int, rng: np.random.Generator) -> NDArray[np.float32]:
    near = space.vectors[rng.integers(0, len(space.vectors), lists)]
    return (near + rng.standard_normal(near.shape) / 3).astype(np.float32)


def showing(items: int, lists: int, **given: Any) -> Filters:
    """Return filters that let everything pass but what is given."""
    values = {
        "domain": np.zeros(items, np.int8),
        "status": np.full(items, SHOWN, np.int8),
        "available_from": np.zeros(items, np.int64),
        "available_to": np.full(items, NOW, np.int64),
        "wanted": np.zeros(lists, np.int8),
        "now": np.zeros(lists, np.int64),
        "excluded": np.empty(0, np.int32),
        "start": np.zeros(lists, np.int64),
        "stop": np.zeros(lists, np.int64),
    }
    return Filters(**(values | given))  # type: ignore[arg-type]  # arrays by name


def random_filters(items: int, lists: int, rng: np.random.Generator) -> Filters:
    """Return filters that hide, date, part into domains, and exclude: each a little or a lot."""
    excluded = [
        np.flatnonzero(rng.random(items) < rng.choice([0, 0.01, 0.6, 0.99])) for _ in range(lists)
    ]
    ends = np.cumsum([len(slots) for slots in excluded])
    return showing(
        items,
        lists,
        domain=rng.choice([-1, 0, 1], items, p=[0.1, 0.8, 0.1]).astype(np.int8),
        status=rng.choice([HIDDEN, SHOWN, DATED], items).astype(np.int8),
        available_from=rng.integers(0, 20, items),
        available_to=rng.integers(10, 30, items),
        wanted=rng.integers(0, 2, lists).astype(np.int8),
        now=rng.integers(0, 30, lists),
        excluded=np.concatenate(excluded).astype(np.int32),
        start=np.append(0, ends[:-1]).astype(np.int64),
        stop=ends.astype(np.int64),
    )


def may_show(filters: Filters, b: int, space: Space) -> NDArray[np.bool_]:
    now = filters.now[b]
    there = (filters.available_from <= now) & (now < filters.available_to)
    passing: NDArray[np.bool_] = (
        space.known & (filters.domain == filters.wanted[b]) & (filters.status != HIDDEN)
    )
    passing &= (filters.status != DATED) | there
    passing[filters.excluded[filters.start[b] : filters.stop[b]]] = False
    return passing


def consistent(cells: Cells, space: Space) -> None:
    """Check that each known row is in one cell, that of its nearest centre, and no other row is."""
    held = [
        cells.members[start : start + size].tolist()
        for start, size in zip(cells.start, cells.size, strict=True)
    ]
    known = np.flatnonzero(space.known)
    assert sorted(slot for cell in held for slot in cell) == known.tolist()
    for c, cell in enumerate(held):
        rows = cells.rows[cells.start[c] : cells.start[c] + cells.size[c]]
        np.testing.assert_array_equal(rows, space.vectors[cell])
        assert (cells.cell[cell] == c).all()
        assert len(cell) <= cells.room[c]
    distance = ((space.vectors[known, None] - cells.centres[None]) ** 2).sum(axis=2)
    chosen = distance[np.arange(len(known)), cells.cell[known]]
    np.testing.assert_allclose(chosen, distance.min(axis=1), rtol=1e-3, atol=1e-3)


@seldom
@given(seed=SEEDS, items=st.integers(1, 64))
def test_a_few_cells_are_all_looked_into_which_is_exact(seed: int, items: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(items, rng), random_filters(items, 5, rng)
    queries = asked(space, 5, rng)
    cells = build(space)
    assert len(cells.centres) <= PROBES
    found = nearest_in_cells(filters, queries, space, cells, TOP)
    right = nearest(filters, queries, space, TOP)
    for b in range(5):
        best = (space.vectors @ queries[b])[found[b][found[b] >= 0]]
        np.testing.assert_allclose(best, (space.vectors @ queries[b])[right[b][right[b] >= 0]])


@settings(seldom, max_examples=10)
@given(seed=SEEDS)
def test_most_of_the_nearest_are_found_among_many(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, queries = (found := rows_around(4000, rng)), asked(found, 32, rng)
    filters = showing(4000, 32)
    exact = nearest(filters, queries, space, TOP)
    found_too = nearest_in_cells(filters, queries, space, build(space), TOP)
    shared = [np.isin(*pair).mean() for pair in zip(exact, found_too, strict=True)]
    assert np.mean(shared) > 0.9


@seldom
@given(seed=SEEDS)
def test_cells_never_find_what_a_list_may_not_show_and_all_of_the_few_it_may(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(3000, rng), random_filters(3000, 8, rng)
    cells, queries = build(space), asked(space, 8, rng)
    enough = PROBES * int(cells.size.sum()) // len(cells.centres)
    found = nearest_in_cells(filters, queries, space, cells, TOP)
    for b, slots in enumerate(found):
        shown, passing = slots[slots >= 0], may_show(filters, b, space)
        assert len(set(shown.tolist())) == len(shown)
        assert passing[shown].all()
        if passing.sum() < enough // 2:  # what is excluded by name is seen, too
            scores = np.where(passing, space.vectors @ queries[b], -np.inf)
            best = np.sort(scores)[::-1][: min(TOP, int(passing.sum()))]
            np.testing.assert_allclose(scores[shown], best, rtol=1e-5, atol=1e-5)


@seldom
@given(seed=SEEDS)
def test_by_cells_a_list_is_the_same_alone_and_in_a_batch(seed: int) -> None:
    rng = np.random.default_rng(seed)
    space, filters = rows_around(2000, rng), random_filters(2000, 4, rng)
    cells, queries = build(space), asked(space, 4, rng)
    together = nearest_in_cells(filters, queries, space, cells, TOP)
    for b in range(4):
        alone = filters.of(np.array([b]))
        assert (
            nearest_in_cells(alone, queries[b : b + 1], space, cells, TOP)[0] == together[b]
        ).all()


@seldom
@given(seed=SEEDS, items=st.integers(1, 300))
def test_equal_rows_lie_in_equal_cells(seed: int, items: int) -> None:
    space = rows_around(items, np.random.default_rng(seed))
    for one, other in zip(build(space), build(space), strict=True):
        np.testing.assert_array_equal(one, other)


@seldom
@given(seed=SEEDS, items=st.integers(1, 200), more=st.integers(0, 400))
def test_cells_follow_rows_that_come_change_and_go(seed: int, items: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    everything = rows_around(items + more, rng)
    space = Space(everything.vectors, everything.known.copy())
    space.known[items:] = False
    cells = build(Space(space.vectors[:items], space.known[:items]))
    consistent(cells, Space(space.vectors[:items], space.known[:items]))
    crowded = everything.vectors[0].copy()
    for slot in rng.permutation(np.repeat(np.arange(items + more), 2)):
        space.known[slot] = rng.random() < 0.7
        space.vectors[slot] = crowded if rng.random() < 0.5 else rng.standard_normal(DIMS)
        cells = put(cells, space, int(slot))
    consistent(cells, space)


@seldom
@given(seed=SEEDS, items=st.integers(1, 64))
def test_pools_are_the_same_by_both_ways(seed: int, items: int) -> None:
    rng = np.random.default_rng(seed)
    exact = random_index(items, seed)
    requests = [random_request(exact, rng) for _ in range(3)]
    queries = queries_of(requests, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "EXACT_ITEMS", 5)
        index = random_index(items, seed)
        assert (index.near_vectors.cells is not None) == (len(index.near_vectors) > 5)
        assert (index.near_factors.cells is not None) == (len(index.near_factors) > 5)
        assert len(index.near_vectors) == index.has_vector.sum()
        assert len(index.near_factors) == index.columns.has_factors.sum()
        found, right = generate(requests, index, queries), generate(requests, exact, queries)
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
            slots = generate([request], index, away).slots
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
        near.follow(space, slot)

    def slow(rows: Space) -> Cells:
        cells = build(rows)
        for slot in range(20, 60):
            change(slot)
        return cells

    monkeypatch.setattr(module, "build", slow)
    near.replace(space)
    assert near.cells is None
    queries, filters = asked(space, 3, rng), showing(200, 3)
    right = nearest(filters, queries, space, TOP)
    assert (near.search(filters, queries, space, TOP) == right).all()
    for slot in range(40):
        change(slot)
    later.run()
    assert near.cells is not None
    consistent(near.cells, space)
    for _ in range(2):  # as many changes as there were rows, and they are built again
        for slot in range(200):
            near.follow(space, slot)
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
    near.follow(space, 0)
    assert near.cells is not None


@pytest.mark.usefixtures("few")
def test_fewer_rows_are_all_looked_at_again() -> None:
    space, near = rows_around(200, np.random.default_rng(0)), Nearest()
    near.replace(space)
    assert near.cells is not None
    for slot in range(180):
        space.known[slot] = False
        near.follow(space, slot)
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
            near.follow(space, slot)
    done = True
    thread.join()
    assert searches
    assert not wrong
    assert near.cells is not None
    consistent(near.cells, space)
