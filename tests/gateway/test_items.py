"""Items as pages get them: what the catalogue says, as the workers have told of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from features.events import Item
from features.item import ItemRow, catalogued, new_item
from ranker.items import ItemIndex
from streams import admin
from streams.engine.rocks import StoreLocked
from streams.gateway.items import MOST_ITEMS
from streams.gateway.shelf import ItemShelf
from tests.broker.records import put
from tests.conftest import Names
from tests.gateway.items import item_row, mugs, put_items
from tests.gateway.running import RunningGateway
from tests.support import eventually

HOSTILE = '<script>alert("x")</script> & more'


@pytest.fixture(scope="module")
def shop(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("gateway"))
    settings = names.create_topics(gateway_dir=names.directory / "gateway")
    whole = Item(item_id="a/b c", title=HOSTILE, price=4.5, in_stock=False, embedding=(0.5, 1.0))
    put_items(settings, mugs(4) | {"a/b c": item_row(whole, 1.0)})
    with RunningGateway(settings) as running:
        yield running
    admin.delete(settings)


def test_an_item_is_what_the_catalogue_says(shop: RunningGateway) -> None:
    answer = shop.client.get("/v1/items/a%2Fb%20c")
    told = {"item_id": "a/b c", "title": HOSTILE, "price": 4.5, "in_stock": False}
    assert (answer.status_code, answer.json()) == (200, {"type": "item"} | told)
    assert answer.headers["content-type"] == "application/json"
    unknown = shop.client.get("/v1/items/nothing")
    assert (unknown.status_code, "nothing" in unknown.json()["detail"]) == (404, True)


def test_several_come_in_the_order_asked_for(shop: RunningGateway) -> None:
    answer = shop.client.get("/v1/items", params={"id": ["i3", "nothing", "i0", "i3"]})
    assert [one["item_id"] for one in answer.json()["items"]] == ["i3", "i0"]
    most = [f"n{n}" for n in range(MOST_ITEMS)]
    assert shop.client.get("/v1/items", params={"id": most}).json() == {"items": []}
    for ids in ([], [*most, "i1"], [""]):
        assert shop.client.get("/v1/items", params={"id": ids}).status_code == 422


def test_it_follows_the_catalogue(shop: RunningGateway) -> None:
    def title(item_id: str) -> str | None:
        answer = shop.client.get(f"/v1/items/{item_id}")
        return answer.json().get("title") if answer.ok else None

    row = item_row(Item(item_id="new", title="first"), 1.0)
    put_items(shop.settings, {"new": row})
    eventually(lambda: title("new") == "first", 20)
    put_items(shop.settings, {"new": catalogued(row, Item(item_id="new", title="second"), 1)})
    eventually(lambda: title("new") == "second", 20)
    put(shop.settings, shop.settings.topics.item_state, [("new", None)])
    eventually(lambda: title("new") is None, 20)


rows = st.builds(
    lambda title, offset: None if title is None else catalogued(new_item(), _named(title), offset),
    st.none() | st.sampled_from("abc"),
    st.integers(0, 3),
)


def _named(title: str) -> Item | None:
    return None if title == "c" else Item(item_id="x", title=title)


@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
@given(told=st.lists(st.tuples(st.sampled_from("xyz"), rows), max_size=12))
def test_the_copy_holds_what_was_told_last(
    told: list[tuple[str, ItemRow | None]], tmp_path: Path
) -> None:
    index = ItemIndex()
    shelf = ItemShelf(tmp_path / "items", index)
    shelf.open()
    wanted: dict[str, Item | None] = {}
    offsets: dict[str, int] = {}
    for item_id, row in told:
        if row is not None and offsets.get(item_id) == row.catalog_offset:
            continue  # one record of the catalogue says one thing
        offsets[item_id] = -1 if row is None else row.catalog_offset
        index.slot(item_id)
        shelf.take([(item_id, row)])
        if row is not None:  # touched again: the entry is the same
            shelf.take([(item_id, replace(row, last_seen=7))])
        wanted[item_id] = None if row is None else row.item
    assert shelf.find(list("xyz")) == [wanted.get(item_id) for item_id in "xyz"]
    shelf.close()


def test_a_directory_belongs_to_one(tmp_path: Path) -> None:
    shelf = ItemShelf(tmp_path / "items", ItemIndex())
    shelf.open()
    with pytest.raises(StoreLocked):
        ItemShelf(tmp_path / "items", ItemIndex()).open()
    shelf.close()
    assert shelf.find(["x"]) == [None]
