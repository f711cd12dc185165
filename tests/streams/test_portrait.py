"""A portrait tells what is in the row, strongest and newest first, in plain JSON."""

from functools import reduce

import msgspec

from features import item as item_rows
from features import profile as user_rows
from features.events import Click, Event, Item, Purchase, Search
from features.fading import ONE
from features.item import ItemRow
from features.predecessors import WEIGHT_ONE, pair
from features.profile import Profile
from streams.portrait import date, portray_item, portray_user

T = 1_700_000_000_000


def test_a_user_row() -> None:
    events: list[Event] = [
        Click(event_id="e1", user_id="ann", item_id="mug", ts=T, price=4.0),
        Search(event_id="e2", user_id="ann", query="red mug", ts=T + 1000),
        Purchase(event_id="e3", user_id="ann", item_id="cup", ts=T + 2000, price=4.0),
    ]

    def learn(row: Profile, numbered: tuple[int, Event]) -> Profile:
        return user_rows.learn(row, numbered[1], source=3, offset=numbered[0])

    portrait = portray_user("ann", reduce(learn, enumerate(events), user_rows.new_profile()))
    assert portrait["user_id"] == "ann"
    assert portrait["newest"] == "2023-11-14T22:13:22.000+00:00"
    assert [touch["item_id"] for touch in portrait["recent"]] == ["cup", "mug"]
    assert portrait["recent"][0]["kind"] == "purchase"
    assert portrait["queries"][0]["query"] == "red mug"
    assert portrait["activity"]["click"]["total"] == 1
    assert portrait["activity"]["search"]["windows"]["hour"] == 1
    assert portrait["activity"]["purchase"]["decayed"]["1h"] == 1.0
    assert portrait["session"]["events"] == 3
    assert portrait["applied"] == {"3": 2}
    assert portrait["forgotten"] is None
    assert portrait["units_bought"] == 1
    assert portrait["price_bands"] == {"4 to 5.657": 1.0}
    assert portrait["last_shown"]["rec_id"] == "purchase-e3"
    assert portrait["last_shown"]["surface"] == "for_you"
    assert portrait["skipped"] == {"repeated": 0, "twin": 0, "flood": 0}
    assert msgspec.json.decode(msgspec.json.encode(portrait)) == portrait


def test_an_item_row_names_what_it_follows_closest_first() -> None:
    row = ItemRow(
        item=Item(item_id="mug", title="Mug"),
        touches=(2, 0, 1),
        predecessors=(
            {"far": pair(WEIGHT_ONE // 2, 9 * ONE), "near": pair(WEIGHT_ONE * 3, ONE)},
            {},
            {},
            {"bought": pair(WEIGHT_ONE, ONE)},
        ),
        queries={"=mug": ONE, "mug": 2 * ONE},
        first_seen=T,
        last_seen=T,
        in_weight=WEIGHT_ONE,
    )
    portrait = portray_item("mug", row)
    assert list(portrait["follows"]) == ["click to click", "purchase to purchase"]
    viewed = portrait["follows"]["click to click"]
    assert [near["item_id"] for near in viewed] == ["near", "far"]
    assert viewed[0]["weight"] == 3.0
    assert viewed[1]["passages"] == 9.0
    assert list(portrait["queries"]) == ["mug", "=mug"]
    assert portrait["catalogue"]["title"] == "Mug"
    assert portrait["touches"] == {"click": 2, "search": 0, "purchase": 1}
    assert portrait["in_weight"] == 1.0
    assert msgspec.json.decode(msgspec.json.encode(portrait)) == portrait


def test_new_rows_and_times_that_never_were() -> None:
    user = portray_user("ann", user_rows.new_profile())
    assert user["newest"] is None
    assert user["recent"] == []
    assert user["last_shown"] is None
    assert user["categories"] == {}
    item = portray_item("mug", item_rows.new_item())
    assert item["catalogue"] is None
    assert item["first_seen"] is None
    assert date(T) == "2023-11-14T22:13:20.000+00:00"
