"""The producer of app teams on a real Kafka: what arrives, in what order, what is raised."""

import gc
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from typing import Any

import msgpack
import msgspec
import pytest
from kafka.partitioner.default import murmur2

from features.events import Click, Item, Kind
from streams import bulk
from streams.broker.ports import free_ports
from streams.client import (
    BadEvent,
    DeliveryError,
    EventProducer,
    Filters,
    RecommendationConsumer,
    Settings,
)
from streams.codec import (
    Wire,
    decode_event,
    decode_forget,
    decode_item,
)
from streams.partitions import partition_of
from streams.simulate import simulate
from tests.broker.records import NOW, limit, records
from tests.conftest import Names


@pytest.mark.parametrize("wire", ["msgpack", "json"])
def test_every_kind_arrives_as_the_worker_reads_it(names: Names, wire: Wire) -> None:
    settings = names.create_topics()
    topics = settings.topics
    with EventProducer(settings, wire=wire) as producer:
        search_id = producer.search("ann", "red mug", k=5, filters=Filters(category="mugs"))
        click_id = producer.click("ann", "mug", search_id=search_id, position=1, ts=NOW)
        producer.purchase(
            "ann",
            "mug",
            event_id="order-1",
            quantity=2,
            price=4.5,
            currency="EUR",
            domain="shop",
        )
        producer.item(
            "mug", title="Red Mug", category=("kitchen", "mugs"), price=4.5, domain="shop"
        )
        producer.delete_item("cup")
        producer.forget("bob")

    (click,), (search,), (purchase,) = (records(settings, topic) for topic in topics.events)
    (request,) = records(settings, topics.forget)
    assert decode_forget(request.key, request.value) == "bob"
    assert (
        decode_event(Kind.SEARCH, search.key, search.value, search.timestamp).event_id == search_id
    )
    found = decode_event(Kind.CLICK, click.key, click.value, click.timestamp)
    assert isinstance(found, Click)
    assert (found.event_id, found.search_id, found.position, found.ts) == (
        click_id,
        search_id,
        1,
        NOW,
    )
    bought = decode_event(Kind.PURCHASE, purchase.key, purchase.value, purchase.timestamp)
    assert (bought.event_id, bought.domain) == ("order-1", "shop")
    sent = decode_event(Kind.SEARCH, b"ann", search.value, search.timestamp)
    assert abs(sent.ts - search.timestamp) < 300_000
    if wire == "msgpack":
        assert msgpack.unpackb(click.value)["item_id"] == "mug"
    else:
        assert msgspec.json.decode(click.value)["item_id"] == "mug"
    entries = dict(decode_item(item.key, item.value) for item in records(settings, topics.catalog))
    assert entries["cup"] is None
    assert entries["mug"] == Item(
        item_id="mug", title="Red Mug", category=("kitchen", "mugs"), price=4.5, domain="shop"
    )


def test_a_user_s_events_stay_in_order_on_the_partition_of_murmur2(names: Names) -> None:
    settings = names.create_topics()
    items = [Item(item_id=f"i{n}", title=f"red mug {n}") for n in range(30)]
    events = list(islice(simulate(items, 1, start_ts=NOW - 10**7), 3_000))
    with EventProducer(settings) as producer:
        assert producer.send_many(events) == len(events)
    clicks: dict[str, list[str]] = defaultdict(list)
    for record in records(settings, settings.topics.click):
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % settings.partitions
        assert record.partition == partition_of(record.key.decode(), settings.partitions)
        clicks[record.key.decode()].append(msgpack.unpackb(record.value)["event_id"])
    sent: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if isinstance(event, Click):
            sent[event.user_id].append(event.event_id)
    assert clicks == sent


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"user_id": ""}, "empty_id"),
        ({"user_id": 7}, "mistyped_field"),
        ({"item_id": "ü" * 100}, "id_too_long"),
        ({"ts": -1}, "bad_ts"),
        ({"ts": NOW + 10**9}, "future_ts"),
        ({"position": "first"}, "mistyped_field"),
        ({"domain": "blog"}, "bad_value"),
    ],
)
def test_what_the_worker_would_refuse_is_refused_before_it_is_sent(
    names: Names, given: dict[str, Any], reason: str
) -> None:
    settings = names.create_topics()
    with EventProducer(settings) as producer:
        with pytest.raises(BadEvent) as refused:
            producer.click(**{"user_id": "ann", "item_id": "mug"} | given)
        assert refused.value.reason == reason
    assert records(settings, settings.topics.click) == []


def test_a_record_over_the_limit_is_raised_and_named(names: Names) -> None:
    settings = names.create_topics()
    with EventProducer(settings) as producer:
        context = {f"field{n}": "x" * 20_000 for n in range(60)}
        with pytest.raises(DeliveryError, match=r"big was not sent .* 12\d{5} bytes"):
            producer.click("ann", "mug", event_id="big", context=context)
        producer.click("ann", "mug")  # the producer goes on
    assert len(records(settings, settings.topics.click)) == 1


def test_what_the_broker_refuses_is_raised_and_the_producer_recovers(names: Names) -> None:
    settings = names.create_topics(compression="none")
    limit(settings, settings.topics.click, "max.message.bytes", "300")
    with EventProducer(settings) as producer:

        def until_refused(then: Callable[[], object]) -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:  # until the broker has heard of its limit
                long = {"text": "x" * 500}
                producer.click("ann", "mug", event_id="too-big", context=long)
                then()

        with pytest.raises(DeliveryError, match="MessageSizeTooLargeError") as raised:
            until_refused(producer.flush)
        assert raised.value.names == ("too-big",)
        with pytest.raises(DeliveryError) as raised:  # by a later call, without a flush
            until_refused(lambda: producer.click("bob", "mug"))
        assert "too-big" in raised.value.names
        producer.click("cleo", "mug", event_id="fits")
    arrived = [msgpack.unpackb(record.value) for record in records(settings, settings.topics.click)]
    assert [event["event_id"] for event in arrived if event["user_id"] == "cleo"] == ["fits"]


def test_what_was_refused_last_is_raised_at_the_end_of_the_block(names: Names) -> None:
    settings = names.create_topics(compression="none")
    limit(settings, settings.topics.click, "max.message.bytes", "300")

    def attempts() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with EventProducer(settings) as producer:
                producer.click("ann", "mug", event_id="too-big", context={"text": "x" * 500})

    with pytest.raises(DeliveryError, match="1 not delivered: too-big to"):
        attempts()


def test_bulk_sends_the_same_to_the_same_places(names: Names) -> None:
    settings = names.create_topics()
    items = [Item(item_id=f"i{n}", title=f"red mug {n}") for n in range(30)]
    shopping = list(islice(simulate(items, 1, start_ts=NOW - 10**7), 20_000))
    events = [*items, *shopping]
    sent: list[None] = []
    assert bulk.publish(settings, iter(events), sent=lambda: sent.append(None)) == len(events)
    assert len(sent) == len(events)
    found: dict[str, list[Any]] = defaultdict(list)
    for kind, topic in zip(Kind, settings.topics.events, strict=True):
        for record in records(settings, topic):
            event = decode_event(kind, record.key, record.value, NOW)
            assert record.partition == partition_of(event.user_id, settings.partitions)
            found[event.user_id].append(event)
    wanted: dict[str, list[Any]] = defaultdict(list)
    for event in sorted(shopping, key=lambda event: event.kind):
        wanted[event.user_id].append(event)
    assert found == wanted  # of each kind, in order
    catalog = [decode_item(r.key, r.value) for r in records(settings, settings.topics.catalog)]
    assert dict(catalog) == {item.item_id: item for item in items}


def test_bulk_raises_what_is_not_confirmed(names: Names) -> None:
    settings = names.create_topics(compression="none")
    click = Click(event_id="e", user_id="ann", item_id="mug", ts=NOW)
    large = Click(
        event_id="e", user_id="ann", item_id="mug", ts=NOW, context={"text": "x" * 2_000_000}
    )
    with pytest.raises(DeliveryError, match="not everything was confirmed"):
        bulk.publish(settings, [click, large])
    nobody = Settings(broker=f"127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(DeliveryError, match="no broker answers"):
        bulk.publish(nobody, [click])


def test_a_missing_topic_is_raised_with_its_cure(names: Names) -> None:
    with (
        pytest.raises(DeliveryError, match=r"no topic '.*events.click'.*headrace topics create"),
        EventProducer(names.settings(), timeout_s=1.0) as producer,
    ):
        producer.click("ann", "mug")
    with pytest.raises(LookupError, match="headrace topics create"):
        RecommendationConsumer(names.settings())


def test_nobody_at_the_address_is_raised() -> None:
    nobody = Settings(broker=f"127.0.0.1:{free_ports(1)[0]}")
    with pytest.raises(DeliveryError, match="no broker answers"):
        EventProducer(nobody, timeout_s=1.0)
    gc.collect()  # a socket left open would be an error here


def test_an_error_of_the_block_is_not_hidden_by_one_of_the_producer(names: Names) -> None:
    settings = names.create_topics()

    def failing() -> None:
        with EventProducer(settings) as producer:
            producer.click("ann", "mug")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert len(records(settings, settings.topics.click)) == 1  # what was sent still arrived


def test_sending_waits_while_too_much_is_unconfirmed(names: Names) -> None:
    settings = names.create_topics()
    with EventProducer(settings, unconfirmed=10, linger_ms=20) as producer:
        threads = [
            threading.Thread(target=lambda: [producer.click("ann", "mug") for _ in range(50)])
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        producer.flush()
    assert len(records(settings, settings.topics.click)) == 150
