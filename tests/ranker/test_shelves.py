"""A category's shelf holds its most popular items, whatever was put, hidden and moved before."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.columns import BY_WEEK
from ranker.items import ItemIndex, ItemState
from ranker.pool import TOP_LIKED
from ranker.request import LEANINGS, Request
from ranker.shelves import ITEMS, LEAST
from tests.ranker.reference import scores_of
from tests.ranker.shops import DAY, NOW, generated, name, random_index, random_request, seldom

SEEDS = st.integers(0, 10_000)


def put(index: ItemIndex, number: int, popular: float, leaf: str, **more: Any) -> None:
    category = ("shop", leaf) if leaf else ()
    state = ItemState(
        item_id=name(number),
        category=category,
        popularity=(popular,) * 4,
        popularity_ts=NOW,
        **more,
    )
    index.put(state)


def best(index: ItemIndex, leaf: str) -> list[int]:
    """Return the slots of a category that a list may show, the most popular first."""
    rows = index.columns
    of = [slot for slot in range(len(index)) if index.leaf(slot) == leaf and rows.status[slot] > 0]
    known = [slot for slot in of if rows.popular_key[slot, BY_WEEK] > -np.inf]
    return sorted(known, key=lambda slot: -rows.popular_key[slot, BY_WEEK])


def shelf(index: ItemIndex, leaf: str) -> list[int]:
    (code,) = index.leanings({leaf: 1.0}, {})[0]
    rows = index.shelves
    found: list[int] = rows.slots[code, : rows.sizes[code]].tolist()
    return found


@seldom
@given(seed=SEEDS, items=st.integers(1, 3 * ITEMS), leaves=st.integers(1, 3))
def test_a_shelf_is_the_top_of_its_category(seed: int, items: int, leaves: int) -> None:
    rng = np.random.default_rng(seed)
    index = ItemIndex(neighbours=1)
    gone = rng.random()  # how often an item is hidden, or nobody acts on it any more
    for step in range(4 * items):
        number = int(rng.integers(items))
        leaf = str(rng.integers(leaves)) if rng.random() < 0.9 else ""
        popular = 0.0 if rng.random() < gone / 4 else float(rng.random())
        put(index, number, popular, leaf, in_stock=rng.random() >= gone)
        if step % 7 == 0:
            index.remove(name(int(rng.integers(items))))
    for leaf in {index.leaf(slot) for slot in range(len(index))} - {""}:
        held, expected = shelf(index, leaf), best(index, leaf)
        assert held == expected[: len(held)]
        assert len(held) >= min(LEAST, len(expected))


def test_there_is_a_shelf_for_each_of_many_categories() -> None:
    index = ItemIndex(neighbours=1)
    for number in range(300):
        put(index, number, 1.0, f"leaf {number}")
    assert [shelf(index, f"leaf {number}") for number in range(300)] == [[n] for n in range(300)]


@seldom
@given(seed=SEEDS)
def test_the_most_popular_of_each_category_that_is_liked_are_candidates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    index = ItemIndex(neighbours=1)
    for number in range(400):
        put(index, number, float(1 + rng.random()), str(number % 9), in_stock=rng.random() < 0.8)
    liked = {str(leaf): float(share) for leaf, share in enumerate(rng.dirichlet(np.ones(4)))}
    exclude = np.array(best(index, "0")[:3], np.int32)
    request = Request(now=NOW + DAY, k=5, leaves=index.leanings(liked, {})[0], exclude=exclude)
    pool = scores_of(generated([request], index), 0)
    for leaf, share in liked.items():
        allowed = [slot for slot in best(index, leaf) if slot not in exclude]
        due = int(TOP_LIKED * share)  # by d'Hondt, none gets less than its share rounded down
        assert set(allowed[:due]) <= set(pool)
    assert not set(exclude.tolist()) & set(pool)


@seldom
@given(seed=SEEDS)
def test_affinities_are_the_shares_of_what_an_item_is(seed: int) -> None:
    index, rng = random_index(60, seed), np.random.default_rng(seed)
    liked = {str(leaf): share for leaf, share in enumerate([0.5, 0.3, 0.2])}
    leaves, brands = index.leanings(liked, {"acme": 0.75, "unheard": 0.25})
    assert sum(brands.values()) <= 0.75
    bands = {2: 0.6, 9: 0.4}
    request = random_request(index, rng, leaves=leaves, brands=brands, price_bands=bands)
    rows = index.columns
    for slot, values in scores_of(generated([request], index), 0).items():
        leaf, brand = index.leaf_and_brand(index.ids[slot])
        assert values["affinity_category"] == pytest.approx(liked.get(leaf, 0.0))
        assert values["affinity_brand"] == (0.75 if brand == "acme" else 0.0)
        assert values["affinity_price"] == pytest.approx(bands.get(rows.price_band[slot], 0.0))
        assert [values["demand_lead"], values["conversion_lead"]] == rows.leads[slot].tolist()


def test_only_the_heaviest_leanings_are_read() -> None:
    index = ItemIndex(neighbours=1)
    for number in range(LEANINGS + 1):
        put(index, number, 1.0, str(number))
    liked = {str(number): 0.2 for number in range(LEANINGS + 1)}
    request = Request(now=NOW, k=9, leaves=index.leanings(liked, {})[0])
    found = scores_of(generated([request], index), 0)
    assert [found[slot]["affinity_category"] > 0 for slot in range(LEANINGS + 1)] == [
        *[True] * LEANINGS,
        False,
    ]
