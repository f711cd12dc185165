"""What the catalogue says takes effect on the next list of a running worker."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from features.events import Filters
from streams.client import EventProducer, Recommendation, RecommendationConsumer
from streams.explain import Explanation
from streams.settings import Settings
from tests.broker.test_client_commands import headrace
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import wait_until_learnt, worker_of

WITHIN_S = 30.0
CHEAP = Filters(price_max=10)
KITCHEN = Filters(category="kitchen")


class Shopper:
    """Asks for lists, one event a list."""

    def __init__(self, producer: EventProducer, lists: RecommendationConsumer) -> None:
        self._producer = producer
        self._lists = lists
        self._numbers = count()

    def finds(self, query: str, filters: Filters | None = None) -> set[str]:
        event_id = f"s{next(self._numbers)}"
        self._producer.search("ann", query, event_id=event_id, filters=filters)
        return self._answer(event_id)

    def is_shown(self) -> set[str]:
        """Click on an item that stays, and return what the list after it shows."""
        number = next(self._numbers)
        event_id = f"c{number}"
        # Seconds apart: the same click within one is no second click. Searches are answered always.
        ts = int(time.time() * 1000) + 2_000 * number
        self._producer.click("ann", "stays", event_id=event_id, ts=ts)
        return self._answer(event_id)

    def _answer(self, event_id: str) -> set[str]:
        self._producer.flush()

        def answer() -> list[Recommendation]:
            return [one for one in self._lists.poll() if one.trigger.event_id == event_id]

        (found,) = eventually(answer, WITHIN_S)
        return {item.item_id for item in found.items}


@contextmanager
def shopping(settings: Settings, directory: Path) -> Iterator[tuple[EventProducer, Shopper]]:
    """A shop of five mugs, each clicked, and a worker that has learnt it."""
    with (
        EventProducer(settings) as producer,
        RecommendationConsumer(settings) as lists,
        worker_of(settings, directory) as worker,
    ):
        for item_id in ("stays", "sold-out", "withdrawn", "dearer", "moved"):
            mug(producer, item_id)
            producer.click("bob", item_id)
        producer.flush()
        wait_until_learnt(settings, worker)
        yield producer, Shopper(producer, lists)


def mug(producer: EventProducer, item_id: str, **other: Any) -> None:
    said: Mapping[str, Any] = {"title": "Red mug", "category": ["Kitchen"], "price": 5.0}
    producer.item(item_id, **{**said, **other})


def test_changes_take_effect_on_the_next_list(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics(k=20)
    with shopping(settings, tmp_path) as (producer, ann):
        mug(producer, "renamed")  # nobody touched it: only its title leads to it
        everything = {"stays", "sold-out", "withdrawn", "dearer", "moved", "renamed"}
        eventually(lambda: ann.finds("mug") == everything, WITHIN_S)
        assert ann.finds("mug", CHEAP) == ann.finds("mug", KITCHEN) == everything
        assert ann.is_shown() >= everything - {"renamed"}

        mug(producer, "sold-out", in_stock=False)
        producer.delete_item("withdrawn")
        mug(producer, "dearer", price=50.0)
        mug(producer, "moved", category=["Linen"])
        mug(producer, "renamed", title="Tea towel")
        mug(producer, "new")
        left = {"stays", "dearer", "moved", "new"}
        eventually(lambda: ann.finds("mug") == left, WITHIN_S)
        # All of it holds for every list from now on, whatever calls for it.
        assert "renamed" in ann.finds("towel")
        assert ann.finds("mug", CHEAP) == left - {"dearer"}
        assert ann.finds("mug", KITCHEN) == left - {"moved"}
        shown = ann.is_shown()
        assert shown >= {"dearer", "moved"}
        assert not shown & {"sold-out", "withdrawn"}

        mug(producer, "sold-out")
        mug(producer, "withdrawn")
        mug(producer, "dearer", price=4.0)
        later = int(time.time() * 1000) + 3_600_000
        mug(producer, "new", available_from=later)
        back = {"stays", "sold-out", "withdrawn", "dearer", "moved"}
        eventually(lambda: ann.finds("mug", CHEAP) == back, WITHIN_S)
        assert ann.is_shown() >= {"sold-out", "withdrawn", "dearer"}


def test_statistics_of_categories_follow_the_catalogue(names: Names, tmp_path: Path) -> None:
    """What `explain` reads back from the log is what the running worker's changes left."""
    settings = names.create_topics()

    def told() -> dict[str, float | None]:
        done = headrace(settings, "features", "explain", "ann", "stays", "--json")
        assert done.returncode == 0, done.stderr
        standing = msgspec.json.decode(done.stdout, type=Explanation).standing
        assert standing is not None
        return standing

    with shopping(settings, tmp_path) as (producer, ann):
        eventually(lambda: ann.finds("mug"), WITHIN_S)
        before = told()
        assert (before["category_items"], before["price_category_levels"]) == (5, 1)
        assert before["price_level"] is not None
        assert abs(before["price_level"]) < 0.25
        assert before["conversion"] is None  # nobody bought

        for item_id in ("sold-out", "dearer", "moved"):
            mug(producer, item_id, price=5.0 * 1.5)
        mug(producer, "stays", price=None)
        producer.delete_item("withdrawn")
        mug(producer, "new", price=7.5)
        mug(producer, "newer", price=7.6)
        producer.purchase("bob", "new")
        producer.flush()
        eventually(lambda: told()["category_items"] == 6 and told()["conversion"], WITHIN_S)
        after = told()
        assert (after["price_imputed"], after["price_level"]) == (1, None)
        assert after["price_or_usual"] == after["category_price"]
        assert after["category_price"] is not None
        assert 7.3 < after["category_price"] < 7.7
