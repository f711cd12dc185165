"""Simulated shoppers: repeatable to the byte, in time order, plausible, and clearly called so."""

import itertools
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.events import Click, Event, Item, Purchase, Search
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL, Shop
from streams.shelf import Shelf
from streams.simulate import EVENTS_PER_SESSION, PREFIX, SESSION_S, simulate

START = 1_700_000_000_000
MUGS = [
    Item(item_id="a", title="Red Mug", price=4.0),
    Item(item_id="b", title="Blue mug", price=5.0),
    Item(item_id="c", title="Tea towel", category=("kitchen", "linen"), price=3.0),
]


def drawn(count: int, items: Sequence[Item] = MUGS, seed: int = 7, **options: Any) -> list[Event]:
    stream = simulate(items, seed, start_ts=START, **options)
    return list(itertools.islice(stream, count))


@pytest.fixture(scope="module", params=[ONLINE_RETAIL, ESHOP_CLOTHING], ids=lambda shop: shop.name)
def stream(request: pytest.FixtureRequest) -> tuple[list[Item], list[Event]]:
    shop: Shop = request.param
    items = list(shop.items())
    return items, drawn(20_000, items)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    titles=st.lists(st.text(max_size=30), min_size=1, max_size=8),
    prices=st.sampled_from([None, 0.0, 0.5, 100.0]),
)
def test_any_catalogue_and_seed_give_the_same_valid_events_in_time_order(
    seed: int, titles: list[str], prices: float | None
) -> None:
    items = [Item(item_id=str(n), title=t, price=prices) for n, t in enumerate(titles)]
    events = drawn(60, items, seed)
    assert events == drawn(60, items[::-1], seed)  # the order of the catalogue does not matter
    assert [event.ts for event in events] == sorted(event.ts for event in events)
    assert events[0].ts >= START
    encoded = msgspec.json.encode(events)
    assert msgspec.json.decode(encoded, type=list[Event]) == events  # passes every constraint


def test_another_process_with_another_hash_seed_gives_the_same_bytes() -> None:
    program = (
        "import hashlib, itertools, msgspec\n"
        "from streams.data import ESHOP_CLOTHING\n"
        "from streams.simulate import simulate\n"
        "events = itertools.islice(simulate(list(ESHOP_CLOTHING.items()), 7, start_ts=5), 2000)\n"
        "print(hashlib.sha256(msgspec.json.encode(list(events))).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in (1, 2)
    }
    assert len(digests) == 1


def test_another_seed_or_start_gives_other_event_ids() -> None:
    first = {event.event_id for event in drawn(50)}
    assert first.isdisjoint(event.event_id for event in drawn(50, seed=8))
    later = itertools.islice(simulate(MUGS, 7, start_ts=START + 1), 50)
    assert first.isdisjoint(event.event_id for event in later)


def test_everything_simulated_says_so(stream: tuple[list[Item], list[Event]]) -> None:
    _, events = stream
    assert all(event.user_id.startswith(PREFIX) for event in events)
    assert all(event.event_id.startswith(PREFIX) for event in events)
    assert len({event.event_id for event in events}) == len(events)


def test_the_mix_is_that_of_a_shop(stream: tuple[list[Item], list[Event]]) -> None:
    _, events = stream
    kinds = Counter(type(event) for event in events)
    assert 0.10 < kinds[Search] / len(events) < 0.35
    assert kinds[Click] > 2 * kinds[Search]
    assert 0.03 < kinds[Purchase] / kinds[Click] < 0.25


def test_shoppers_buy_only_what_they_clicked_in_the_same_session(
    stream: tuple[list[Item], list[Event]],
) -> None:
    items, events = stream
    known = {item.item_id for item in items}
    clicked: set[tuple[str | None, str]] = set()
    for event in events:
        if isinstance(event, Click):
            assert event.item_id in known
            clicked.add((event.session_id, event.item_id))
        elif isinstance(event, Purchase):
            assert (event.session_id, event.item_id) in clicked


def test_a_clicked_result_matches_its_query_and_higher_places_are_clicked_more(
    stream: tuple[list[Item], list[Event]],
) -> None:
    items, events = stream
    words = {item.item_id: f"{item.title or ''} {item.category}".lower() for item in items}
    queries = {event.event_id: event.query for event in events if isinstance(event, Search)}
    positions: Counter[int] = Counter()
    for event in events:
        if isinstance(event, Click) and event.search_id is not None:
            assert any(word in words[event.item_id] for word in queries[event.search_id].split())
            assert event.position is not None
            positions[event.position] += 1
    assert positions[1] > 1.5 * positions[3] > positions[8] > 0


def test_the_rate_and_the_length_of_sessions_are_what_is_said(
    stream: tuple[list[Item], list[Event]],
) -> None:
    _, events = stream
    warm = events[5_000:]  # nobody is in the middle of a session at the start
    span_s = (warm[-1].ts - warm[0].ts) / 1000
    assert len(warm) / span_s == pytest.approx(20.0, rel=0.15)
    sessions: dict[str | None, list[int]] = {}
    for event in events:
        sessions.setdefault(event.session_id, []).append(event.ts)
    assert len(events) / len(sessions) == pytest.approx(EVENTS_PER_SESSION, rel=0.1)
    lasted = sum(times[-1] - times[0] for times in sessions.values()) / len(sessions) / 1000
    assert lasted < SESSION_S  # which also holds the time spent after the last event


def test_what_was_recommended_is_heeded() -> None:
    items = [Item(item_id=f"i{n}", title=f"thing{n}") for n in range(300)]

    everyone = {f"{PREFIX}{n:05d}": ("unknown", "i299", "i298") for n in range(2_000)}

    def heeded(events: Iterator[Event]) -> int:
        return sum(isinstance(e, Click) and e.item_id in {"i299", "i298"} for e in events)

    shown = heeded(iter(drawn(2_000, items, shown=everyone)))
    assert shown > 3 * heeded(iter(drawn(2_000, items)))


@pytest.mark.parametrize(
    ("items", "options", "message"),
    [
        ([], {}, "catalogue is empty"),
        (MUGS, {"shoppers": 0}, "shoppers=0"),
        (MUGS, {"events_per_s": 0.0}, "events_per_s=0.0"),
        (MUGS, {"shoppers": 10, "events_per_s": 20.0}, "at least"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    items: list[Item], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        drawn(1, items, **options)


def test_a_search_finds_what_matches_most_words_first() -> None:
    shelf = Shelf(MUGS, random.Random(0))
    assert shelf.matches(["red", "mug"], 5) == [0, 1]
    assert shelf.matches(["linen"], 5) == [2]
    assert shelf.matches(["nothing"], 5) == []
    assert shelf.like(0, random.Random(0)) == 1
