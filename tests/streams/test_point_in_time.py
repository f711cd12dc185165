"""A feature that is used for an event never contains it, nor anything that comes later.

Real events go through the same walk as `headrace evaluate`. Whatever it reads of rows and lists to
predict an event is held against what the events strictly before it give, worked out from nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from features import profile as profiles
from features.catalogue import Value, values
from features.events import Event, Search
from features.item import ItemRow
from features.profile import Profile
from ranker.items import ItemIndex
from ranker.rank import Model, Ranked
from ranker.request import Request
from streams import steps
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL, Shop
from streams.models import new_model
from streams.replay import BATCH, SOURCE, Replay

EVENTS = 3_000
K = 20
LEARNT = {"factors_length", "bias"}  # depend on how events were batched, not only on which


@dataclass
class Used:
    """What was read to predict one event: its user's row, and the list's vectors by item."""

    number: int
    row: Profile
    request: Request
    items: dict[str, ItemRow]
    vectors: dict[str, NDArray[np.float32]]


def sampled(number: int) -> bool:
    """Choose some events of every micro-batch, its first and last among them."""
    return number > BATCH and (number % BATCH in {0, 1} or number % 97 == 0)


Ranking = tuple[Request, dict[str, NDArray[np.float32]]]


@contextmanager
def watched() -> Iterator[list[Ranking]]:
    """Record what a walk hands to `steps.rank`, and the vectors that it is ranked by."""
    seen: list[Ranking] = []
    real = steps.rank

    def rank(
        requests: Sequence[Request], index: ItemIndex, model: Model, *, explained: bool
    ) -> Ranked:
        ranked = real(requests, index, model, explained=explained)
        seen.extend(
            (request, vectors(ranked, place, index)) for place, request in enumerate(requests)
        )
        return ranked

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(steps, "rank", rank)
        yield seen


def vectors(ranked: Ranked, place: int, index: ItemIndex) -> dict[str, NDArray[np.float32]]:
    slots = ranked.slots[place]
    return {
        index.ids[slot]: ranked.features[place, c].copy()
        for c, slot in enumerate(slots.tolist())
        if slot >= 0
    }


@dataclass
class Walk:
    """A log, and what was used for its sampled events."""

    shop: Shop
    events: list[Event]
    used: list[Used]

    def replay(self) -> Replay:
        return replay_of(self.shop)


def replay_of(shop: Shop) -> Replay:
    replay = Replay(new_model(), K)
    replay.catalogue(shop.items())
    return replay


@pytest.fixture(scope="module", params=[ONLINE_RETAIL, ESHOP_CLOTHING], ids=lambda shop: shop.name)
def walk(request: pytest.FixtureRequest) -> Walk:
    """Walk a log as `headrace evaluate` does."""
    shop: Shop = request.param
    events, replay = list(islice(shop.events(), EVENTS)), replay_of(shop)
    rows: list[tuple[int, Profile, dict[str, ItemRow]]] = []

    def wanted(number: int, event: Event, row: Profile) -> bool:
        if sampled(number) and not isinstance(event, Search):
            rows.append((number, row, dict(replay.items)))
            return True
        return False

    with watched() as seen:
        for _ in replay.learn(events, wanted):
            pass
    used = [
        Used(number, row, asked, items, found)
        for (number, row, items), (asked, found) in zip(rows, seen, strict=True)
    ]
    return Walk(shop, events, used)


def test_user_features_are_those_of_strictly_earlier_events(walk: Walk) -> None:
    events, used, index = walk.events, walk.used, walk.replay().index
    assert len(used) > 50
    told_apart = 0
    for one in used:
        event = events[one.number - 1]
        scratch = from_scratch(events[: one.number - 1], event.user_id, index)
        found = unlearnt(values("user", one.row, event.ts))
        assert found == unlearnt(values("user", scratch, event.ts))
        too_late = from_scratch(events[: one.number], event.user_id, index)
        told_apart += found != unlearnt(values("user", too_late, event.ts))
    assert told_apart == len(used), "the event itself would have shown in every row"


def from_scratch(earlier: Sequence[Event], user_id: str, index: ItemIndex) -> Profile:
    """Fold the user's events, and nothing else, from the beginning of the log."""
    row = profiles.new_profile()
    for number, event in enumerate(earlier, 1):
        if event.user_id == user_id:
            row = after(row, event, number, index)
    return row


def after(row: Profile, event: Event, number: int, index: ItemIndex) -> Profile:
    """Learn an event, and of its item what the catalogue says."""
    judged = profiles.judge(row, event, SOURCE, number)
    leaf, brand = ("", "") if isinstance(event, Search) else index.leaf_and_brand(event.item_id)
    return profiles.take(row, event, SOURCE, number, judged, leaf=leaf, brand=brand)


def unlearnt(found: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in found.items() if name not in LEARNT}


def test_item_and_list_features_are_those_of_strictly_earlier_events(walk: Walk) -> None:
    """Another walk stops before the event: it has never read it, and still gives equal vectors."""
    events, used = walk.events, walk.used
    for one in spread(used, 6):
        event = events[one.number - 1]
        replay = walk.replay()
        begin = (one.number - 1) // BATCH * BATCH  # lists of a micro-batch see the index before it
        for _ in replay.learn(events[:begin], lambda number, _, __: sampled(number)):
            pass
        own = [
            (number, other)
            for number, other in enumerate(events[begin : one.number - 1], begin + 1)
            if other.user_id == event.user_id
        ]
        row = replay.users.get(event.user_id, profiles.new_profile())
        for number, other in own:
            row = after(row, other, number, replay.index)
        assert row == one.row
        assert replay.items == one.items
        touched = sum(not isinstance(other, Search) for _, other in own)
        request = steps.request(row, event, replay.index, K, touched)
        ranked = steps.rank([request], replay.index, replay.model, explained=False)
        found = vectors(ranked, 0, replay.index)
        equal(found, one.vectors)
        for item_id in found:
            then = values("item", one.items[item_id], event.ts)
            assert values("item", replay.items[item_id], event.ts) == then


def equal(found: dict[str, NDArray[np.float32]], expected: dict[str, NDArray[np.float32]]) -> None:
    """Compare vectors; sums over a list depend on its padding by their last bits."""
    assert found
    assert found.keys() == expected.keys()
    for item_id, vector in found.items():
        assert vector == pytest.approx(expected[item_id], rel=1e-5, abs=1e-6), item_id


def spread(used: Sequence[Used], most: int) -> Sequence[Used]:
    return used[:: max(1, len(used) // most)]


def test_what_an_event_says_of_itself_moves_no_feature(walk: Walk) -> None:
    """Every sampled event is of another item at another price: its own list's vectors stay."""
    events, used = walk.events, walk.used
    last = [one for one in used if one.number % BATCH == 1][-1]
    others = [*events[: last.number - 1], changed(events[last.number - 1])]
    with watched() as seen:
        for _ in walk.replay().learn(others, lambda number, _, __: sampled(number)):
            pass
    request, found = seen[-1]
    assert request.now == last.request.now
    equal(found, last.vectors)


def changed(event: Event) -> Event:
    assert not isinstance(event, Search)
    return replace(event, item_id="never-seen", price=1e6)
