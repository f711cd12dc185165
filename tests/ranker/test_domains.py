"""Lists of one domain: nothing of another gets in, and a small one is not crowded out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.vector import NAMES, compute
from ranker.columns import BY_WEEK, DAY_MS, HALF_LIVES_MS
from ranker.history import recent_of
from ranker.items import BadItemState, ItemIndex, ItemState
from ranker.model import Model
from ranker.rank import rank
from ranker.request import Request
from ranker.shelves import LEAST
from tests.ranker.shops import (
    HOUR,
    NOW,
    generated,
    queries_of,
    random_index,
    random_request,
    seldom,
)

SEEDS = st.integers(0, 2**31 - 1)
DOMAINS = {
    "shop": HALF_LIVES_MS,
    "content": (HOUR // 4, HOUR, 12 * HOUR, 3 * DAY_MS),
    "social": (2 * HOUR, 6 * HOUR, DAY_MS, 7 * DAY_MS),
}


def some_requests(index: ItemIndex, seed: int) -> list[Request]:
    """Return lists of every domain: after events, for searches, and of given items."""
    rng = np.random.default_rng(seed)
    everything = np.arange(len(index), dtype=np.int32)
    return [
        random_request(index, rng, domain=domain, **more)
        for domain in range(len(DOMAINS))
        for more in ({}, {"given": everything})
    ]


@seldom
@given(seed=SEEDS)
def test_no_pool_holds_an_item_of_another_domain(seed: int) -> None:
    index = random_index(60, seed, domains=DOMAINS)
    requests = some_requests(index, seed)
    found = generated(requests, index, queries_of(recent_of(requests), seed)).slots
    for request, slots in zip(requests, found, strict=True):
        shown = slots[slots >= 0]
        assert (index.columns.domain[shown] == request.domain).all()
        if request.given is not None:
            of_domain = index.columns.domain[:60] == request.domain
            assert set(shown.tolist()) == set(
                np.flatnonzero(of_domain & (index.columns.status[:60] > 0)).tolist()
            )


@seldom
@given(seed=SEEDS)
def test_a_list_is_the_same_alone_and_among_lists_of_other_domains(seed: int) -> None:
    index = random_index(60, seed, domains=DOMAINS)
    requests = some_requests(index, seed)
    model = Model(NAMES)
    together = rank(requests, index, model, compute)
    for position, request in enumerate(requests):
        (alone,) = rank([request], index, model, compute).rankings
        assert alone.slots.tolist() == together.rankings[position].slots.tolist()


def test_a_small_domain_is_not_crowded_out() -> None:
    """However popular a thousand products are, a newcomer's posts are the popular posts."""
    index = ItemIndex(domains=DOMAINS)
    for number in range(1000):
        of, touches = ("social", 1.0) if number % 100 == 0 else ("shop", 99.0)
        item_id = f"{of}-{number}"
        popular = (touches,) * 4
        index.put(ItemState(item_id=item_id, popularity=popular, popularity_ts=NOW, domain=of))
    slots = generated([Request(now=NOW, k=20, domain=2)], index).slots[0]
    assert set(slots[slots >= 0].tolist()) == set(range(0, 1000, 100))


@pytest.mark.parametrize(("name", "half_lives_ms"), DOMAINS.items())
def test_popularity_fades_by_the_half_lives_of_its_domain(
    name: str, half_lives_ms: tuple[int, ...]
) -> None:
    index = ItemIndex(domains=DOMAINS)
    index.put(ItemState(item_id="a", popularity=(8,) * 4, popularity_ts=NOW, domain=name))
    number = index.domain_named(name)
    for place, half_life_ms in enumerate(half_lives_ms):
        later = NOW + 2 * half_life_ms
        assert index.popularity_at(later)[0, place] == pytest.approx(2)
        scores = generated([Request(now=later, k=1, domain=number)], index).scores[0, 0]
        assert 2 in scores.round(3)


def test_names_and_numbers() -> None:
    index = ItemIndex(domains=DOMAINS)
    index.put(ItemState(item_id="post", domain="social"))
    index.put(ItemState(item_id="thing"))
    index.put(ItemState(item_id="lost", domain="no longer"))
    assert [index.domain_of(name) for name in ("post", "thing", "lost", "never seen")] == [
        "social",
        "shop",
        "shop",
        "shop",
    ]
    assert [index.domain_named(name) for name in ("shop", "content", "social", "", "x")] == [
        0,
        1,
        2,
        0,
        0,
    ]
    index.put(ItemState(item_id="post", domain="content"))
    assert index.domain_of("post") == "content"


def test_a_domain_with_too_few_half_lives_is_named() -> None:
    with pytest.raises(BadItemState, match=r"'content' has the half-lives \(1, 2, 3\).*have 4"):
        ItemIndex(domains={"shop": HALF_LIVES_MS, "content": (1, 2, 3)})


@seldom
@given(seed=SEEDS)
def test_a_shelf_is_the_top_of_its_category_in_its_domain(seed: int) -> None:
    """Whatever moves between categories and domains, one of which the index does not know."""
    rng = np.random.default_rng(seed)
    index = ItemIndex(neighbours=1, domains=DOMAINS)
    for _ in range(400):
        popular = float(rng.random())
        index.put(
            ItemState(
                item_id=f"item-{rng.integers(150)}",
                category=("all", str(rng.integers(2))),
                popularity=(popular,) * 4,
                popularity_ts=NOW,
                domain=str(rng.choice([*DOMAINS, "gone"])),
                in_stock=bool(rng.random() < 0.8),
            )
        )
    rows, shelves = index.columns, index.shelves
    size = len(index)
    for code in index.leanings({"0": 0.5, "1": 0.5}, {})[0]:
        for domain in range(len(DOMAINS)):
            there = (rows.leaf[:size] == code) & (rows.domain[:size] == domain)
            slots = np.flatnonzero(there & (rows.status[:size] > 0))
            best = slots[np.argsort(-rows.popular_key[slots, BY_WEEK])].tolist()
            row = code * len(DOMAINS) + domain
            held = shelves.slots[row, : shelves.sizes[row]].tolist()
            assert held == best[: len(held)]
            assert len(held) >= min(len(best), LEAST)


def test_what_is_liked_in_a_large_domain_is_found_in_a_small_one() -> None:
    """A thousand products are more popular in the category, and no post is popular at all."""
    index = ItemIndex(domains=DOMAINS)
    for number in range(1000):
        of, touches = ("social", 1.0) if number % 100 == 0 else ("shop", 99.0)
        popular = (touches,) * 4
        leaf = "Kitchen" if number % 200 == 0 or of == "shop" else "Garden"
        index.put(
            ItemState(
                item_id=f"{of}-{number}",
                category=(leaf,),
                popularity=popular,
                popularity_ts=NOW,
                domain=of,
            )
        )
    (kitchen,) = index.leanings({"Kitchen": 1.0}, {})[0]
    request = Request(now=NOW, k=5, domain=2, leaves={kitchen: 1.0})
    ranked = rank([request], index, Model(NAMES), compute).rankings[0]
    assert set(ranked.slots.tolist()) == set(range(0, 1000, 200))
