"""Events through the gateway: what Kafka gets, and what is said of those that are not valid."""

from typing import Any

from features.events import Click, Kind, Purchase, Search
from streams.codec import decode_event, decode_forget, decode_item
from tests.broker.records import records
from tests.gateway.running import RunningGateway


def click(event_id: str, user: str = "ann", **more: Any) -> dict[str, Any]:
    return {"type": "click", "event_id": event_id, "user_id": user, "item_id": "mug-1"} | more


def stored(gateway: RunningGateway, kind: Kind) -> dict[str, Any]:
    """What a worker would decode, by event id."""
    found = records(gateway.settings, gateway.settings.topics.events[kind])
    events = [decode_event(kind, one.key, one.value, one.timestamp) for one in found]
    return {event.event_id: event for event in events}


def test_a_list_is_in_kafka_when_it_is_answered(gateway: RunningGateway) -> None:
    sent = [click(f"list-{n}", f"u{n % 7}", ts=1_700_000_000_000 + n) for n in range(300)]
    sent.append({"type": "search", "event_id": "list-s", "user_id": "ann", "query": " red  mug "})
    sent.append(
        {"type": "purchase", "event_id": "list-p", "user_id": "ann", "item_id": "m", "quantity": 2}
    )
    answer = gateway.post(sent)
    assert answer.status_code == 200
    assert answer.json() == {"accepted": 302, "event_ids": [one["event_id"] for one in sent]}
    clicks = stored(gateway, Kind.CLICK)
    assert {f"list-{n}" for n in range(300)} <= clicks.keys()
    assert clicks["list-7"].ts == 1_700_000_000_007
    search = stored(gateway, Kind.SEARCH)["list-s"]
    assert isinstance(search, Search)
    assert search.query == "red mug"
    assert isinstance(stored(gateway, Kind.PURCHASE)["list-p"], Purchase)


def test_a_user_s_events_stay_in_order(gateway: RunningGateway) -> None:
    assert gateway.post([click(f"order-{n}", "orderly") for n in range(50)]).status_code == 200
    mine = [one for one in stored(gateway, Kind.CLICK) if one.startswith("order-")]
    assert mine == [f"order-{n}" for n in range(50)]


def test_what_is_left_out_is_drawn(gateway: RunningGateway) -> None:
    answer = gateway.post({"type": "click", "user_id": "ann", "item_id": "mug-1"})
    (event_id,) = answer.json()["event_ids"]
    event = stored(gateway, Kind.CLICK)[event_id]
    assert isinstance(event, Click)
    assert event.ts > 1_700_000_000_000


def test_a_bad_event_is_named_and_keeps_no_other_out(gateway: RunningGateway) -> None:
    bad: list[Any] = [
        {"type": "click", "event_id": "bad-1", "item_id": "mug-1"},
        {"type": "click", "event_id": 5, "user_id": "ann", "item_id": "mug-1"},
        click("bad-3", " "),
        click("bad-4", ts=99_999_999_999_999),
        {"type": "item", "item_id": "mug-1"},
        {"type": "wish"},
        17,
        click("bad-8", domain="attic"),
    ]
    answer = gateway.post([click("good-1"), *bad, click("good-2")])
    assert answer.status_code == 200
    told = answer.json()
    assert told["accepted"] == 2
    assert told["event_ids"] == ["good-1", *[None] * len(bad), "good-2"]
    assert [(one["position"], one["reason"]) for one in told["errors"]] == [
        (1, "missing_field"),
        (2, "mistyped_field"),
        (3, "empty_id"),
        (4, "future_ts"),
        (5, "wrong_type"),
        (6, "wrong_type"),
        (7, "undecodable"),
        (8, "bad_value"),
    ]
    assert told["errors"][0]["event_id"] == "bad-1"
    assert all(one["rule"] and one["cure"] for one in told["errors"])
    assert {"good-1", "good-2"} <= stored(gateway, Kind.CLICK).keys()
    assert "bad-3" not in stored(gateway, Kind.CLICK)


def test_where_nothing_is_valid_that_is_the_error(gateway: RunningGateway) -> None:
    answer = gateway.post({"type": "click", "user_id": "ann"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["type"] == "urn:headrace:problem:invalid"
    (error,) = told["errors"]
    assert (error["reason"], "position" in error) == ("missing_field", False)


def test_bodies_that_are_none_are_problems(gateway: RunningGateway) -> None:
    for body, status in [
        (b"", 400),
        (b"[", 400),
        (b"[]", 422),
        (b"{", 422),
        (b"\xff", 422),
        (b"[" * 5000, 400),
        (b"[" + b"1," * 1000 + b"1]", 422),
        (b'{"type":"click","user_id":"' + b"a" * 1_000_000 + b'"}', 413),
    ]:
        answer = gateway.client.post("/v1/events", data=body)
        assert (answer.status_code, answer.json()["status"]) == (status, status), body[:20]


def test_a_body_without_a_length_is_bounded_too(gateway: RunningGateway) -> None:
    answer = gateway.client.post("/v1/events", data=(b" " * 100_000 for _ in range(11)))
    assert answer.status_code == 413


def test_items_are_put_and_deleted(gateway: RunningGateway) -> None:
    mug: Any = {"title": " Red  mug ", "category": ["kitchen", "mugs"], "price": 4.5}
    assert gateway.client.put("/v1/items/a%2Fb", json=mug).status_code == 204
    assert gateway.client.delete("/v1/items/a%2Fb").status_code == 204
    topic = gateway.settings.topics.catalog
    told = [one for one in records(gateway.settings, topic) if one.key == b"a/b"]
    put, deleted = [decode_item(one.key, one.value) for one in told]
    assert (put[0], deleted) == ("a/b", ("a/b", None))
    assert put[1] is not None
    assert put[1].title == "Red mug"
    wrong = gateway.client.put("/v1/items/a", json=mug | {"item_id": "b"})
    assert (wrong.status_code, wrong.json()["errors"][0]["reason"]) == (422, "key_mismatch")
    wrong = gateway.client.put("/v1/items/a", json=mug | {"price": -1})
    assert (wrong.status_code, wrong.json()["errors"][0]["reason"]) == (422, "mistyped_field")


def test_forgetting_is_asked_for(gateway: RunningGateway) -> None:
    assert gateway.client.delete("/v1/users/who%2Fgoes").status_code == 202
    assert gateway.client.delete("/v1/users/%20").status_code == 422
    found = records(gateway.settings, gateway.settings.topics.forget)
    assert [decode_forget(one.key, one.value) for one in found].count("who/goes") == 1
