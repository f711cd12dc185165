"""`headrace features` on a running system: rows and records come from a real Kafka."""

import time

import msgspec
import pytest

from features import item as item_rows
from features import profile as user_rows
from features.events import Click, Event, Item, Purchase, Search
from features.vector import NAMES
from streams import bulk
from streams.explain import Explanation
from streams.quality.live import profile_live
from streams.quality.result import Quality
from streams.settings import Settings
from tests.broker.records import put
from tests.broker.test_client_commands import headrace
from tests.conftest import Names

NOW = int(time.time() * 1000)
MUGS = [Item(item_id=f"mug-{n}", title=f"Mug {n}", price=4.0 + n) for n in range(3)]


def store_rows(settings: Settings) -> None:
    """Put into the tables' changelogs what a worker would."""
    events: list[Event] = [
        Click(event_id="e1", user_id="ann", item_id="mug-0", ts=NOW - 60_000),
        Search(event_id="e2", user_id="ann", query="mug", ts=NOW),
    ]
    row = user_rows.new_profile()
    for offset, event in enumerate(events):
        row = user_rows.learn(row, event, 0, offset)
    put(settings, settings.topics.user_state, [("ann", user_rows.encode_profile(row))])
    rows = [(item.item_id, item_rows.catalogued(item_rows.new_item(), item, 0)) for item in MUGS]
    stored = [(item_id, item_rows.encode_item(row)) for item_id, row in rows]
    put(settings, settings.topics.item_state, stored)


def test_explain_reads_the_tables_of_a_running_system(names: Names) -> None:
    settings = names.create_topics()
    store_rows(settings)
    done = headrace(settings, "features", "explain", "ann", "--json")
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(done.stdout, type=Explanation)
    assert (found.user["click_total"], found.user["queries"], found.listed) == (1, 1, None)

    done = headrace(settings, "features", "explain", "ann", "mug-0", "--query", "mug", "--json")
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(done.stdout, type=Explanation)
    assert found.item is not None
    assert found.listed is not None
    assert (found.title, found.item["price"], found.item["idle_h"]) == ("Mug 0", 4.0, None)
    assert (found.listed.candidates, found.listed.model_version) == (3, "generators")
    assert found.listed.place is not None
    assert tuple(found.listed.features) == NAMES
    assert found.listed.features["own_visit"] == 1
    assert found.listed.features["title_any"] == 1

    done = headrace(settings, "features", "explain", "ann", "mug-0")
    assert "click_total" in done.stdout
    for arguments, said in (
        (("zoe",), "nothing is known of user 'zoe'"),
        (("ann", "cup"), "nothing is known of item 'cup'"),
    ):
        done = headrace(settings, "features", "explain", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr


def shop_events() -> list[Event]:
    return [
        Purchase(event_id=f"p{n}", user_id=f"u{n % 7}", item_id="mug-0", ts=NOW - 1_000 * n)
        if n % 3
        else Click(event_id=f"c{n}", user_id=f"u{n % 7}", item_id="cup", ts=NOW - 1_000 * n)
        for n in range(60)
    ]


def test_profile_reads_the_newest_records_of_the_topics(names: Names) -> None:
    settings = names.create_topics()
    bulk.publish(settings, MUGS)
    bulk.publish(settings, shop_events())
    put(settings, settings.topics.click, [("u1", b"{not json")])
    put(settings, settings.topics.catalog, [("mug-2", None)])
    done = headrace(settings, "features", "profile", "--live", "--json")
    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(done.stdout, type=Quality)
    assert found.events == {"click": 20, "search": 0, "purchase": 40}
    assert (found.items, found.uncatalogued) == (3, 1)
    assert [(one.reason, one.count) for one in found.invalid] == [("undecodable", 1)]
    # Their times run backwards, so all but the first of each partition come late.
    assert found.behind_log.count > 40

    few = profile_live(settings, 16, lambda: None)  # 4 topics of 4 partitions: one record each
    assert sum(few.events.values()) + few.items + sum(one.count for one in few.invalid) <= 16
    # The newest records hold the oldest times.
    assert few.last_ts is not None
    assert found.last_ts is not None
    assert few.last_ts < found.last_ts
    assert few.first_ts == found.first_ts


def test_topics_without_records_or_missing_are_named(names: Names) -> None:
    with pytest.raises(LookupError, match="headrace topics create"):
        profile_live(names.settings(), 100, lambda: None)
    settings = names.create_topics()
    with pytest.raises(LookupError, match="no record in"):
        profile_live(settings, 100, lambda: None)
