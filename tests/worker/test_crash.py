"""A worker that is killed in the middle of its work leaves the state of one that was not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from features.events import Event, Item
from features.item import ItemRow, decode_item
from features.predecessors import parts
from features.profile import Profile, decode_profile
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL
from tests.conftest import Names
from tests.worker.running import publish, table, wait_until_learnt, worker_of

PURCHASES, CLICKS = 8_000, 4_000
KILLED_AFTER = (1_000, 3_000, 2_000)
"""Events that each worker learns before it is killed; one more finishes."""
ASYNCHRONOUS: dict[str, Any] = {"factors": b"", "bias": 0.0, "categories": {}, "brands": {}}
"""Fields of a user row that depend on when the items' broadcast was read."""
FADING = ("in_weight", "reach", "queries", "predecessors")
"""Fields of an item row that are rounded at every turn, whatever was there by then."""
MOST_NEIGHBOURS = 1_000
"""So many that no row prunes: what is weakest may differ with the order of arrival."""


@dataclass(frozen=True)
class State:
    users: dict[str, Profile]
    items: dict[str, ItemRow]


def test_a_killed_worker_leaves_the_state_of_one_that_was_not(names: Names, tmp_path: Path) -> None:
    items = [*ONLINE_RETAIL.items(), *ESHOP_CLOTHING.items()]
    purchases = list(islice(ONLINE_RETAIL.events(), PURCHASES))
    clicks = list(islice(ESHOP_CLOTHING.events(), CLICKS))
    events = [*clicks, *purchases]

    spared = _state(names, tmp_path / "spared", items, events, killed_after=())
    killed = _state(names, tmp_path / "killed", items, events, killed_after=KILLED_AFTER)

    assert spared.users.keys() == {event.user_id for event in events}
    assert spared.users == killed.users
    assert spared.items.keys() == killed.items.keys() == {item.item_id for item in items}
    for item_id, row in spared.items.items():
        _assert_alike(row, killed.items[item_id])
    counted = sum(activity.total for row in killed.users.values() for activity in row.activity)
    skipped = sum(sum(row.skipped) for row in killed.users.values())
    assert sum(sum(row.touches) for row in killed.items.values()) == counted
    assert counted + skipped == PURCHASES + CLICKS
    assert skipped > 100, "real orders hold lines that tell the same twice: twins are tried as well"


def _state(
    names: Names,
    directory: Path,
    items: Sequence[Item],
    events: Sequence[Event],
    killed_after: Sequence[int],
) -> State:
    directory.mkdir()
    name = f"{names.app_id}-{directory.name}"
    settings = names.create_topics(
        app_id=name,
        topic_prefix=f"{names.topic_prefix}{directory.name}.",
        data_dir=directory / "state",
        worker_id=name,  # so that the group does not wait for the dead
        neighbours=MOST_NEIGHBOURS,
        user_ttl_days=0,  # the shops are two years apart: the clothing's shoppers would expire
    )
    publish(settings, items, events)
    for number, count in enumerate(killed_after):
        with worker_of(settings, directory, f"killed-{number}") as worker:
            worker.wait_until("headrace_events_total", count, within_s=90)
            worker.kill()
    with worker_of(settings, directory) as worker:
        wait_until_learnt(settings, worker)
    return State(
        {
            user_id: structs.replace(decode_profile(row), **ASYNCHRONOUS)
            for user_id, row in table(settings, settings.topics.user_state).items()
        },
        {
            item_id: structs.replace(decode_item(row), factors=b"", bias=0.0)
            for item_id, row in table(settings, settings.topics.item_state).items()
        },
    )


def _assert_alike(one: ItemRow, other: ItemRow) -> None:
    """Rows are equal; only what is decayed differs, in its last bits."""
    assert one.popularity.ts == other.popularity.ts
    assert one.popularity.values == pytest.approx(other.popularity.values, rel=1e-9)
    assert _fading(one) == pytest.approx(_fading(other), rel=0.02, abs=4)
    kept = {name: getattr(other, name) for name in FADING}
    assert structs.replace(one, popularity=other.popularity, **kept) == other


def _fading(row: ItemRow) -> dict[str, int]:
    weights = {"in": row.in_weight, "reach": row.reach} | row.queries
    for kind, pairs in enumerate(row.predecessors):
        for item_id, stored in pairs.items():
            weight, passages = parts(stored)
            weights |= {f"{kind} {item_id} weight": weight, f"{kind} {item_id}": passages}
    return weights
