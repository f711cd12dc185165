"""One collector sees a real Kafka and the workers' own pages, also while either is away."""

import gzip
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from features.events import Click
from ranker.items import ItemIndex, ItemState
from streams import admin, bulk
from streams.broker.ports import free_ports
from streams.clock import now_ms
from streams.dashboard.cluster import Cluster, members_of
from streams.dashboard.collector import BRIDGED_S, EVERY_S, Collector, bridged
from streams.dashboard.popularity import items_now
from streams.dashboard.view import View
from streams.metrics import Meter
from tests.conftest import Names
from tests.dashboard.test_readings import served, worker

DAY_MS = 86_400_000


class Eyes:
    """A collector that looks when it is told to, and what it shows."""

    def __init__(self, names: Names, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
        self.now = now_ms()
        monkeypatch.setattr("streams.dashboard.collector.now_ms", lambda: self.now)
        settings = names.create_topics(gateway_dashboard_workers=",".join(addresses))
        self.collector = Collector(settings, ItemIndex())
        self.view = View(self.collector)

    def look(self) -> dict[str, Any]:
        self.now += EVERY_S * 1000
        self.collector.look()
        number, document = self.view.made("5m")
        assert self.view.ready("5m") == (number, document)
        told: dict[str, Any] = msgspec.json.decode(gzip.decompress(document))
        return told

    def close(self) -> None:
        self.collector._cluster.close()
        self.collector._workers.close()


@pytest.fixture
def meter() -> Meter:
    return worker("w1")


@pytest.fixture
def eyes(names: Names, monkeypatch: pytest.MonkeyPatch, meter: Meter) -> Iterator[Eyes]:
    with served(meter) as (address,):
        made = Eyes(names, monkeypatch, address)
        yield made
        made.close()


def test_an_empty_system_and_then_events(eyes: Eyes, meter: Meter) -> None:
    told = eyes.look()
    assert (told["trouble"], told["lag"], told["items"]["top"]) == ("", 0, [])
    (one,) = told["workers"]
    assert one["name"] is None, "it answers, but the group does not know it"
    assert told["lines"]["click"] == [None]

    clicks = [Click(event_id=f"e{n}", user_id=f"u{n}", item_id="i", ts=now_ms()) for n in range(30)]
    bulk.publish(eyes.collector.settings, clicks)
    meter.events.labels("click").inc(30)
    for place in (1, 2, 4):
        meter.outcomes.labels("for_you").inc()
        meter.reciprocal_ranks.labels("for_you").inc(1 / place)
    meter.hits.labels("for_you").inc(2)
    meter.learnt.inc(4)
    meter.losses.inc(2)
    for age in [0.02] * 98 + [0.09, 2.0]:
        meter.age.observe(age)
    told = eyes.look()
    lines = told["lines"]
    assert lines["click"][-1] == pytest.approx(30 / EVERY_S)
    assert told["lag"] == lines["lag"][-1] == 30, "nobody has begun to read"
    assert sum(lag["records"]["events.click"] for lag in told["lags"]) == 30
    assert told["totals"] == {"click": 30}
    assert lines["hit_rate_for_you"][-1] == pytest.approx(2 / 3, rel=1e-3)
    assert lines["mrr_for_you"][-1] == pytest.approx(1.75 / 3, rel=1e-3)
    assert lines["hit_rate_search"][-1] is None
    assert lines["loss_nats"][-1] == 0.5
    assert 10 <= lines["p50_ms"][-1] <= 25 < lines["p99_ms"][-1] <= 100
    assert told["times"] == sorted(told["times"])


def test_a_model_that_comes_into_use_is_marked_once(eyes: Eyes, meter: Meter) -> None:
    for version in ("a", "a", "b", "b"):
        meter.model.clear()
        meter.model.labels(version).set(1)
        told = eyes.look()
    assert [version for _, version in told["swaps"]] == ["a", "b"]
    assert told["models"] == ["b"]


def test_what_was_seen_stays_while_kafka_and_workers_are_away(
    names: Names, monkeypatch: pytest.MonkeyPatch, meter: Meter
) -> None:
    with served(meter) as (address,):
        eyes = Eyes(names, monkeypatch, address)
        meter.dead_letters.labels("undecodable").inc()
        assert eyes.look()["reasons"]["dead_letters"] == {"undecodable": 1}
        eyes.look()
    monkeypatch.setattr(admin, "_CONNECTED_WITHIN_MS", 300)
    there = eyes.collector._cluster
    nowhere = names.settings(broker=f"127.0.0.1:{free_ports(1)[0]}")
    eyes.collector._cluster = Cluster(nowhere)
    away = [eyes.look(), eyes.look()]
    eyes.collector._cluster.close()
    assert all("no Kafka at" in told["trouble"] for told in away)
    assert away[0]["trouble_since"] == away[1]["trouble_since"] == away[0]["at"]
    assert away[1]["lag"] == 0, "as it was"
    (one,) = away[1]["workers"]
    assert one["address"] == address
    assert "does not answer" in one["trouble"]
    assert away[1]["lines"]["click"][-3:] == [0.0, None, None], "what is not known is no zero"
    eyes.collector._cluster = there
    back = eyes.look()
    assert (back["trouble"], len(back["times"])) == ("", 5)
    eyes.close()


def test_a_late_look_stands_for_the_spans_between() -> None:
    assert bridged(100.0, 102.1) == [102.1]
    assert bridged(100.5, 106.5) == [102.0, 104.0, 106.5]
    assert bridged(100.0, 101.0) == [101.0]
    assert bridged(0.0, 1e9) == [1e9]
    assert len(bridged(100.0, 100.0 + BRIDGED_S + 1)) == 1, "a gap is a gap"


def test_members_of_a_group_are_told_by_their_partitions() -> None:
    def member(name: str | None, assigned: Any) -> dict[str, Any]:
        return {
            "group_instance_id": name,
            "member_id": "faust-1-uuid",
            "client_host": "/10.0.0.7",
            "member_assignment": assigned,
        }

    click = {"topic": "events.click", "partitions": [3, 1]}
    other = {"topic": "user-state", "partitions": [0, 1, 2, 3]}
    told = [
        member("w1", {"assigned_partitions": [click, other]}),
        member(None, b"not read yet"),
    ]
    first, second = members_of(told, ["events.click"])
    assert (first.name, first.host, first.partitions) == ("faust-1-uuid", "10.0.0.7", ())
    assert (second.name, second.partitions) == ("w1", (1, 3))


def test_items_rise_in_the_time_of_the_log() -> None:
    index = ItemIndex()
    for n in range(50):
        steady = ItemState(
            item_id=f"old-{n}", popularity=(1.0, 10.0, 60.0, 200.0), popularity_ts=1_000 * DAY_MS
        )
        index.put(steady)
    new = ItemState(item_id="new", popularity=(30.0,) * 4, popularity_ts=1_000 * DAY_MS)
    index.put(new)
    index.put(ItemState(item_id="gone", popularity=(99.0,) * 4, popularity_ts=0, active=False))
    found = items_now(index)
    assert [one.item_id for one in found.rising] == ["new"]
    assert found.top[0].item_id == "new"
    assert found.rising[0].touches == pytest.approx((30,) * 4)
    assert "gone" not in {one.item_id for one in found.top}
    assert items_now(ItemIndex()).top == ()
