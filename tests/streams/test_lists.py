"""Lists made by the steps alone, for a shop of a few mugs."""

import pytest

from features import profile as profiles
from features.affinity import band_code, price_band
from features.events import Click, Event, Filters, Item, Purchase, Search
from features.item import catalogued, new_item
from features.profile import Profile, new_profile
from ranker.items import ItemIndex, ItemState
from streams import steps
from streams.item_states import item_state
from streams.lists import Recommendation
from streams.recommend import Asked
from tests.streams.world import MUGS, NOW, told, undisturbed


def test_a_search_finds_titles_and_is_answered_with_reasons() -> None:
    index = shop("Red enamel mug", "Blue enamel mug", "Garden chair")
    asked = Search(event_id="s1", user_id="ann", query="red MUG", ts=NOW)
    (answer,) = answers(index, asked, new_profile())
    assert answer.surface == "search"
    assert answer.query == "red MUG"
    assert [item.item_id for item in answer.items][:2] == ["i0", "i1"]
    assert [item.rank for item in answer.items] == list(range(1, len(answer.items) + 1))
    assert any(reason.kind == "title" for reason in answer.items[0].reasons)


def test_what_is_popular_where_a_user_leans_to_is_shown_and_named() -> None:
    index = ItemIndex()
    for number, leaf in enumerate(["mugs", "mugs", "garden", "garden"]):
        state = ItemState(
            item_id=f"i{number}",
            category=("home", leaf),
            brand="acme",
            price_band=band_code(price_band(4.5)),
            popularity=(1.0 + number,) * 4,
            popularity_ts=NOW,
        )
        index.put(state)
    seen = Click(event_id="c0", user_id="ann", item_id="i0", ts=NOW, price=4.5)
    judged = profiles.judge(new_profile(), seen, 0, 0)
    row = profiles.take(new_profile(), seen, 0, 0, judged, leaf="mugs", brand="acme")
    request = steps.request(row, seen, index, 10, uncounted=1)
    assert index.leanings({"mugs": 1.0}, {"acme": 1.0}) == (request.leaves, request.brands)
    assert request.price_bands == {index.columns.price_band[0]: 1.0}
    (answer,) = told([Asked(seen, request)], index)
    leaves: dict[str, str | None] = {"i0": "mugs", "i1": "mugs", "i2": None, "i3": None}
    for item in answer.items:
        because = {one.kind: one.category for one in item.reasons}
        assert because.get("popular_in_category") == leaves.pop(item.item_id)
        assert because["popular"] is None
    assert not leaves


def test_given_candidates_are_all_that_is_ranked() -> None:
    index = shop("Red mug", "Blue mug", "Garden chair")
    asked = Search(event_id="s1", user_id="ann", query="mug", ts=NOW, candidates=("i2", "nope"))
    (answer,) = answers(index, asked, new_profile())
    assert [item.item_id for item in answer.items] == ["i2"]


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (Filters(), {"i0", "i1", "i2", "i3"}),
        (Filters(category="mugs"), {"i0", "i1"}),
        (Filters(category=(" MUGS ", "garden")), {"i0", "i1", "i2"}),
        (Filters(category="Mug"), set()),
        (Filters(brand="acme"), {"i0", "i2"}),
        (Filters(brand=("acme", "zenith"), category="kitchen"), {"i0", "i1"}),
        (Filters(price_min=5), {"i0", "i2"}),
        (Filters(price_max=0.1), {"i1"}),
        (Filters(price_min=0, price_max=5), {"i0", "i1"}),
        (Filters(exclude=("i0", "unknown")), {"i1", "i2", "i3"}),
        (Filters(price_min=1, exclude=("i0",)), {"i2"}),
    ],
)
@pytest.mark.parametrize("candidates", [None, ("i3", "i2", "i1", "i0")])
def test_a_list_shows_only_what_passes_the_filters(
    filters: Filters, shown: set[str], candidates: tuple[str, ...] | None
) -> None:
    index = ItemIndex()
    for number, entry in enumerate(MUGS):
        index.put(item_state(entry.item_id, catalogued(new_item(), entry, number)))
    asked = Search(
        event_id="s1", user_id="ann", query="mug", ts=NOW, filters=filters, candidates=candidates
    )
    (answer,) = answers(index, asked, new_profile())
    assert {item.item_id for item in answer.items} == shown


def test_what_was_bought_can_be_left_out() -> None:
    index = shop("Red mug", "Blue mug")
    events: list[Event] = [
        Purchase(event_id="p1", user_id="ann", item_id="i0", ts=NOW),
        Click(event_id="c1", user_id="ann", item_id="i1", ts=NOW),
    ]
    row = undisturbed(events).users["ann"]
    assert steps.bought(row) == {"i0"}
    request = steps.request(row, events[1], index, 10, 2, hidden=steps.bought(row))
    (answer,) = told([Asked(events[1], request)], index)
    assert [item.item_id for item in answer.items] == ["i1"]


@pytest.mark.parametrize(
    "gone",
    [
        Item(item_id="i0", title="Red mug", in_stock=False),
        Item(item_id="i0", title="Red mug", available_from=NOW + 1),
        Item(item_id="i0", title="Red mug", available_to=NOW),
        None,
    ],
)
def test_what_cannot_be_bought_is_not_shown(gone: Item | None) -> None:
    index = shop("Red mug", "Red cup")
    index.put(item_state("i0", catalogued(new_item(), gone, 5)))
    asked = Search(event_id="s1", user_id="ann", query="red", ts=NOW)
    (answer,) = answers(index, asked, new_profile())
    assert [item.item_id for item in answer.items] == ["i1"]


def test_a_stranger_in_an_empty_shop_gets_an_empty_list() -> None:
    event = Purchase(event_id="p1", user_id="ann", item_id="a", ts=NOW)
    (answer,) = answers(ItemIndex(), event, new_profile())
    assert answer.items == ()
    assert answer.rec_id == "purchase-p1"
    assert answer.model_version == "generators"


def shop(*titles: str) -> ItemIndex:
    index = ItemIndex()
    for number, title in enumerate(titles):
        entry = Item(item_id=f"i{number}", title=title)
        index.put(item_state(entry.item_id, catalogued(new_item(), entry, number)))
    return index


def answers(index: ItemIndex, event: Event, row: Profile) -> list[Recommendation]:
    request = steps.request(row, event, index, 10, 0)
    return told([Asked(event, request)], index)
