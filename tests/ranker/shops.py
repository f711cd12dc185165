"""Small shops for tests: random item states, and requests of random histories."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import settings
from numpy.typing import NDArray

from ranker.candidates import Candidates, generate
from ranker.history import Recent, recent_of
from ranker.items import ONE_DOMAIN, ItemIndex, ItemState
from ranker.request import Request

NOW = 1_700_000_100_000  # a quarter of an hour begins
HOUR = 3_600_000
DAY = 24 * HOUR
TURN = HOUR // 4  # of what halves in an hour
WORDS = ("red", "blue", "lamp", "desk", "chair", "oak", "small", "large")
VECTOR = 8
FACTORS = 16

# The first example may have to wait for numba's compiler, so there is no deadline on one.
seldom = settings(deadline=None, max_examples=40)


def name(number: int) -> str:
    return f"item-{number}"


def random_state(number: int, items: int, rng: np.random.Generator, **given: Any) -> ItemState:
    """Return an item that followed some others, itself perhaps among them."""
    near = rng.choice(items, size=int(rng.integers(0, min(items, 12) + 1)), replace=False)
    forward = rng.random(len(near), np.float32) * 5
    values: dict[str, Any] = {
        "item_id": name(number),
        "predecessors": [name(int(n)) for n in near],
        "forward": forward,
        "bought": forward * rng.random(len(near), np.float32) if rng.random() < 0.5 else None,
        "passages": rng.integers(0, 6, len(near)).astype(np.float32),
        "in_weight": float(rng.random() * 40),
        "as_of": NOW - int(rng.integers(0, 90)) * TURN,
        "reach": float(rng.integers(0, 60)),
        "popularity": tuple((rng.random(4) * 9).tolist()),
        "popularity_ts": NOW - int(rng.integers(0, 90 * 24)) * HOUR,
        "price": float(rng.choice([0, 5, 10, 80])),
        "category": ("shop", str(rng.integers(3))) if rng.random() < 0.8 else (),
        "price_band": int(rng.choice([0, 2, 5, 9])),
        "leads": tuple(rng.uniform(-1, 1, 2).astype(np.float32).tolist()),
        "brand": str(rng.choice(["", "acme", "zenith"])),
        "terms": tuple(rng.choice(WORDS, size=3).tolist()),
        "query_counts": {"=red lamp": int(rng.integers(1, 9)), "red": 2}
        if rng.random() < 0.3
        else {},
        "factors": rng.standard_normal(FACTORS).astype(np.float32) if rng.random() < 0.8 else None,
        "bias": float(rng.standard_normal()),
        "in_stock": bool(rng.random() < 0.9),
        "active": bool(rng.random() < 0.95),
    }
    return ItemState(**(values | given))


def random_index(
    items: int,
    seed: int,
    half_life_ms: int = 0,
    domains: Mapping[str, Sequence[int]] = ONE_DOMAIN,
) -> ItemIndex:
    """Return a shop; with several domains, items are of each of them and of one not known."""
    rng = np.random.default_rng(seed)
    index = ItemIndex(factors=FACTORS, half_life_ms=half_life_ms, domains=domains)
    names = [*domains, "gone"] if len(domains) > 1 else [""]
    index.put_many(
        random_state(number, items, rng, domain=names[number % len(names)])
        for number in range(items)
    )
    known = [name(number) for number in range(items) if rng.random() < 0.8]
    index.set_vectors(known, rng.standard_normal((len(known), VECTOR)).astype(np.float32))
    return index


def random_request(index: ItemIndex, rng: np.random.Generator, **given: Any) -> Request:
    length = int(rng.integers(0, 60))
    history = rng.integers(-1, max(len(index), 1), length).astype(np.int32)
    ages = np.sort(rng.integers(0, int(rng.choice([1, 10, 60])) * HOUR, length))
    values: dict[str, Any] = {
        "now": NOW,
        "k": 10,
        "history": history,
        "history_kinds": rng.choice([0, 2], length).astype(np.int8),
        "history_times": NOW - ages,
        "factors": rng.standard_normal(FACTORS).astype(np.float32) if rng.random() < 0.7 else None,
    }
    if rng.random() < 0.4:
        values |= {"query": "red lamp", "query_keys": ("=red lamp", "~redlamp", "red", "lamp")}
        values |= {"terms": ("red", "lamp")}
    return Request(**(values | given))


def queries_of(recent: Recent, seed: int) -> NDArray[np.float32]:
    """Return encoded histories; a row depends on its history alone. No history: zeros."""
    rows = []
    for slots in recent.slots:
        rng = np.random.default_rng([seed, *slots[slots >= 0].tolist()])
        rows.append(rng.standard_normal(VECTOR) * (3 if (slots >= 0).any() else 0))
    return np.array(rows, np.float32).reshape(len(recent.slots), VECTOR)


def generated(
    requests: Sequence[Request], index: ItemIndex, queries: NDArray[np.float32] | None = None
) -> Candidates:
    """Return the candidates of requests by their own histories."""
    return generate(requests, recent_of(requests), index, queries)
