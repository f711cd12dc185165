"""Lists as a page gets them: the newest, fit for the page, and filled up by what is popular."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace

from features.events import Item
from streams import admin
from streams.gateway.waiting import Waiting
from streams.lists import RecommendedItem
from tests.broker.records import publish_lists, put, recommendation
from tests.conftest import Names
from tests.gateway.items import item_row, mugs, put_items
from tests.gateway.running import RunningGateway
from tests.support import eventually

ITEMS = 12


def made(user: str, *item_ids: str, number: int = 0) -> Any:
    items = tuple(
        RecommendedItem(item_id=item_id, score=1 / rank, rank=rank)
        for rank, item_id in enumerate(item_ids, 1)
    )
    return replace(recommendation(user, number), items=items)


def ids(shown: dict[str, Any]) -> list[str]:
    assert [one["rank"] for one in shown["items"]] == list(range(1, len(shown["items"]) + 1))
    return [one["item_id"] for one in shown["items"]]


def given(gateway: RunningGateway, *lists: Any) -> None:
    """Publish lists, and wait until the gateway has the last."""
    publish_lists(gateway.settings, lists)
    last = lists[-1]
    eventually(lambda: gateway.shown(last.user_id).get("rec_id") == last.rec_id, 20)


@pytest.fixture(scope="module")
def shop(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("gateway"))
    settings = names.create_topics(gateway_dir=names.directory / "gateway")
    gone = {"gone": item_row(Item(item_id="gone", in_stock=False, category=("mugs",)), 99.0)}
    put_items(settings, mugs(ITEMS) | gone)
    with RunningGateway(settings) as running:
        yield running
    admin.delete(settings)


def popular(*left_out: str) -> list[str]:
    return [name for n in reversed(range(ITEMS)) if (name := f"i{n}") not in left_out]


def test_a_stranger_gets_what_is_popular(shop: RunningGateway) -> None:
    shown = shop.shown("stranger")
    assert (shown["source"], ids(shown)) == ("popular", popular())
    assert "rec_id" not in shown
    assert ids(shop.shown("stranger", k=3, exclude=["i11", "i9"])) == ["i10", "i8", "i7"]
    assert ids(shop.shown("stranger", category="MUGS")) == popular()[1::2]
    assert ids(shop.shown("stranger", category=["mugs", "pans"], k=2)) == ["i11", "i10"]
    assert ids(shop.shown("stranger", category="hats")) == []


def test_a_user_gets_the_newest_list_filled_up(shop: RunningGateway) -> None:
    given(shop, made("ann", "i1"), made("ann", "i3", "gone", "i0", number=1))
    shown = shop.shown("ann", k=4)
    assert ids(shown) == ["i3", "i0", "i11", "i10"]
    assert (shown["source"], shown["filled"], shown["rec_id"]) == ("worker", 2, "rec-ann-1")
    assert shown["items"][2]["reasons"] == [{"kind": "popular", "weight": 1.0}]
    assert ids(shop.shown("ann", in_stock=False, k=3)) == ["i3", "gone", "i0"]
    assert ids(shop.shown("ann", category="mugs", in_stock=False, k=2)) == ["gone", "i0"]
    assert ids(shop.shown("ann", exclude="i3", k=1)) == ["i0"]
    # With nothing left of the list it is no list of the worker's.
    none_left = shop.shown("ann", exclude=["i3", "i0"], k=1)
    assert (none_left["source"], ids(none_left)) == ("popular", ["i11"])


def test_what_answers_a_search_is_no_list_for_the_user(shop: RunningGateway) -> None:
    given(shop, made("bob", "i1"))
    found = replace(made("bob", "i5", number=7), surface="search", query="x")
    given(shop, found, made("cleo", "i2"))
    assert shop.shown("bob")["rec_id"] == "rec-bob-0"


def test_who_has_the_list_is_not_sent_it_again(shop: RunningGateway) -> None:
    given(shop, made("dora", "i1"))
    path = "/v1/users/dora/recommendations?k=1"
    first = shop.client.get(path)
    assert int(first.headers["age"]) >= 0
    again = shop.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    given(shop, made("dora", "i2", number=1))
    again = shop.client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200


def test_who_waits_is_told_of_the_next_list_at_once(shop: RunningGateway) -> None:
    given(shop, made("gus", "i1"))
    path = "/v1/users/gus/recommendations?k=1"
    tag = {"If-None-Match": shop.client.get(path).headers["etag"]}
    begun = time.monotonic()
    assert shop.client.get(f"{path}&wait_ms=300", headers=tag).status_code == 304
    assert time.monotonic() - begun >= 0.3
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(shop.client.get, f"{path}&wait_ms=5000", headers=tag)
        # Neither another's list nor the same one again is what it waits for.
        publish_lists(shop.settings, [made("hal", "i1"), made("gus", "i1")])
        publish_lists(shop.settings, [made("gus", "i2", number=1)])
        answer = waits.result(10)
    assert (answer.status_code, ids(answer.json())) == (200, ["i2"])
    assert shop.client.get(f"{path}&wait_ms=5000").status_code == 200  # it has none: no wait
    assert shop.client.get(f"{path}&wait_ms=5001").status_code == 422


def test_those_who_wait_are_bounded() -> None:
    async def waits() -> list[bool]:
        waiting = Waiting(2)
        tasks = [asyncio.create_task(waiting.next_list(user, 5)) for user in ("ann", "ann", "bob")]
        await asyncio.sleep(0)
        assert len(waiting) == 2
        assert await tasks[2] is False  # at once
        waiting.take(replace(made("ann", "i1"), surface="search"))
        waiting.take(made("bob", "i1"))
        await asyncio.sleep(0)
        assert not any(task.done() for task in tasks[:2])
        waiting.take(made("ann", "i1"))
        waiting.take(made("ann", "i1", number=1))
        found = [await task for task in tasks]
        assert await waiting.next_list("ann", 0.01) is False
        assert (len(waiting), waiting._waiting) == (0, {})
        return found

    assert asyncio.run(waits()) == [True, True, False]


def test_who_is_forgotten_has_no_list(shop: RunningGateway) -> None:
    given(shop, made("eve", "i1"), made("finn", "i1"))
    assert shop.client.delete("/v1/users/eve").status_code == 202
    assert shop.shown("eve")["source"] == "popular"
    put(shop.settings, shop.settings.topics.recommendations, [("finn", None)])
    eventually(lambda: shop.shown("finn")["source"] == "popular", 20)


def test_a_restart_goes_on_where_the_gateway_stopped(
    names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    settings = names.create_topics(gateway_dir=names.directory / "gateway")
    put_items(settings, mugs(ITEMS))
    with RunningGateway(settings) as gateway:
        put(settings, settings.topics.recommendations, [("ann", b"no list")])
        given(gateway, made("ann", "i1"), made("bob", "i2"), made("cleo", "i3"))
    told = "is skipped"
    assert sum(told in record.getMessage() for record in caplog.records) == 1
    publish_lists(settings, [made("bob", "i4", number=1)])
    put(settings, settings.topics.recommendations, [("cleo", None)])
    with RunningGateway(settings) as gateway:
        found = {user: gateway.shown(user).get("rec_id") for user in ("ann", "bob", "cleo")}
    assert found == {"ann": "rec-ann-0", "bob": "rec-bob-1", "cleo": None}
    # What was read before the restart was not read again.
    assert sum(told in record.getMessage() for record in caplog.records) == 1
