"""An explanation shows what the ranking used: the same list, the same vectors, the same place."""

from itertools import islice

import pytest

from features.catalogue import features_of, values
from features.events import Click, Item
from features.item import catalogued, new_item
from features.levels import CategoryLevels
from features.standing import figures_of, standing
from features.vector import NAMES
from ranker.items import ItemIndex
from streams import steps
from streams.broadcast import show_items
from streams.commands.explain_table import show
from streams.data import ONLINE_RETAIL
from streams.explain import Explanation, explained
from streams.models import new_model
from streams.replay import Replay

EVENTS = 2_000


@pytest.fixture(scope="module")
def shop() -> Replay:
    replay = Replay(new_model(), k=10)
    replay.catalogue(ONLINE_RETAIL.items())
    for _ in replay.learn(islice(ONLINE_RETAIL.events(), EVENTS), lambda *_: False):
        pass
    return replay


def of(shop: Replay, user_id: str, item_id: str, **more: bool | str) -> Explanation:
    row = shop.users[user_id]
    query, hide_bought = str(more.get("query", "")), bool(more.get("hide_bought", False))
    return explained(
        (user_id, row),
        (item_id, shop.items[item_id]),
        shop.index,
        shop.levels,
        shop.model,
        at=row.newest_ts,
        query=query,
        hide_bought=hide_bought,
    )


def test_places_and_scores_are_those_of_the_list(shop: Replay) -> None:
    for user_id in list(shop.users)[::40]:
        row = shop.users[user_id]
        event = Click(event_id="e", user_id=user_id, item_id="any", ts=row.newest_ts)
        request = steps.request(row, event, shop.index, 10, uncounted=0)
        (ranking,) = steps.rank([request], shop.index, shop.model, explained=True).rankings
        for place, slot in enumerate(ranking.slots.tolist(), 1):
            found = of(shop, user_id, shop.index.ids[slot])
            listed = found.listed
            assert listed is not None
            assert listed.place == place
            assert listed.score == pytest.approx(float(ranking.scores[place - 1]), rel=1e-4)
            assert tuple(listed.features) == NAMES
            assert len(listed.reasons) == len(ranking.reasons[place - 1])
            assert found.user == values("user", row, row.newest_ts)


def test_values_of_a_list_lie_in_their_ranges(shop: Replay) -> None:
    """Real candidates keep to what the catalogue says of them, searches too."""
    ranges = {feature.name: feature for feature in features_of("list")}
    checked = 0
    for user_id in list(shop.users)[::30]:
        row = shop.users[user_id]
        for query in ("", "red heart"):
            item_id = row.recent.item_ids[-1]
            listed = of(shop, user_id, item_id, query=query).listed
            assert listed is not None
            for name, value in listed.features.items():
                assert value is not None
                assert ranges[name].low - 1e-4 <= value <= ranges[name].high + 1e-4, name
                checked += 1
    assert checked > len(NAMES)


def test_an_item_stands_among_the_items_that_were_learnt(shop: Replay) -> None:
    """The statistics that were kept up event by event are those of the rows as they are now."""
    fresh = CategoryLevels()
    for slot, row in enumerate(shop.items.values()):
        figures = figures_of(row)
        assert figures is not None
        fresh.put(slot, figures)
    user_id = "retail-17850"
    for item_id in list(shop.items)[::200]:
        found = of(shop, user_id, item_id).standing
        assert found == values("standing", standing(shop.items[item_id], fresh), 0)
        assert found["category_items"] == len(shop.items)  # this shop has no categories


def test_an_item_that_nothing_leads_to_is_no_candidate(
    shop: Replay, capsys: pytest.CaptureFixture[str]
) -> None:
    row = shop.users["retail-17850"]
    index, levels = ItemIndex(), CategoryLevels()
    mug = catalogued(new_item(), Item(item_id="mug", title="Mug", in_stock=False), 0)
    show_items(index, levels, [("mug", mug)])
    found = explained(("ann", row), ("mug", mug), index, levels, shop.model, at=row.newest_ts)
    assert found.listed is not None
    assert (found.listed.place, found.listed.features) == (None, {})
    show(found)
    assert "none of its 0 candidates" in capsys.readouterr().out


def test_what_was_bought_is_hidden_where_the_setting_says_so(shop: Replay) -> None:
    user_id = "retail-17850"
    item_id = shop.users[user_id].recent.item_ids[-1]
    shown, hidden = (of(shop, user_id, item_id, hide_bought=hide).listed for hide in (False, True))
    assert shown is not None
    assert hidden is not None
    assert shown.place is not None
    assert hidden.place is None
    assert hidden.candidates > 0


def test_a_moment_may_be_chosen(shop: Replay) -> None:
    row = shop.users["retail-17850"]
    later = row.newest_ts + 86_400_000
    item_id = row.recent.item_ids[-1]
    item = (item_id, shop.items[item_id])
    found = explained(("x", row), item, shop.index, shop.levels, shop.model, at=later)
    assert found.user["idle_h"] == 24
    assert found.listed is not None
    assert found.listed.features["own_earlier_fresh"] == pytest.approx(1 / 2)


def test_people_see_names_values_and_meanings(
    shop: Replay, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    user_id = "retail-17850"
    show(of(shop, user_id, shop.users[user_id].recent.item_ids[-1]))
    told = capsys.readouterr().out
    assert f"user {user_id}, as of 2010-12-" in told
    assert "place " in told
    for name in ("purchase_total", "popularity_7d", "price_level", "own_visit_last"):
        assert name in told
    assert "\n0: idle_h, click_total, " in told
    assert "\nnot known: conversion" in told
    assert "because many act on it these days (popular, " in told
    assert "leans to price bands: " in told
    assert "\ntokens: title " in told
    assert "\nnumbers: price_level " in told
