"""Rankings that go through the log to a real worker and back, and what comes where none answers."""

from typing import Any

from features.events import Kind
from streams.codec import decode_event
from tests.broker.records import records
from tests.conftest import Names
from tests.gateway.items import mugs, put_items
from tests.gateway.running import RunningGateway
from tests.support import eventually
from tests.worker.running import gauge, worker_of

ANSWERED_WITHIN_S = 60


def ids(shown: dict[str, Any]) -> list[str]:
    return [one["item_id"] for one in shown["items"]]


def asked(gateway: RunningGateway, path: str, **body: Any) -> dict[str, Any]:
    answer = gateway.client.post(f"/v1/{path}", json={"user_id": "ann"} | body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_real_worker_ranks_searches_and_learns(names: Names) -> None:
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_deadline_ms=10_000
    )
    titles = {"red": "red mug", "blue": "blue mug", "pan": "iron pan", "pot": "iron pot"}
    with worker_of(settings, names.directory) as worker, RunningGateway(settings) as gateway:
        for item_id, title in titles.items():
            put = gateway.client.put(f"/v1/items/{item_id}", json={"title": title})
            assert put.status_code == 204
        eventually(lambda: gauge_of(worker) == len(titles), ANSWERED_WITHIN_S)
        ranked = asked(gateway, "rank", query="iron", candidates=["red", "pot", "nothing", "pan"])
        assert (ranked["source"], ranked["surface"]) == ("worker", "search")
        assert set(ids(ranked)) == {"red", "pot", "pan"}
        assert set(ids(ranked)[:2]) == {"pot", "pan"}
        assert ranked["rec_id"] == f"search-{ranked['search_id']}"
        found = asked(gateway, "search", query="mug", k=1)
        assert (found["source"], len(ids(found)), ids(found)[0] in titles) == ("worker", 1, True)
        limited = asked(gateway, "search", query="iron", filters={"exclude": ["pan"]})
        assert "pan" not in ids(limited)
        # What the click on an answer teaches comes back as the user's list.
        click = {"type": "click", "user_id": "ann", "item_id": "pot"}
        gateway.post(click | {"search_id": ranked["search_id"], "position": 1})
        eventually(lambda: gateway.shown("ann")["source"] == "worker", ANSWERED_WITHIN_S)
        why = gateway.client.get("/v1/users/ann/explain/pan", params={"query": "iron"})
        assert why.status_code == 200, why.text
        assert (why.json()["title"], why.json()["listed"]["candidates"] > 0) == ("iron pan", True)
        assert gateway.client.get("/v1/users/bob/explain/pan").status_code == 404
        # Forgotten by the workers, and by the copy: the stranger again.
        assert gateway.client.delete("/v1/users/ann").status_code == 202
        forget = settings.topics.user_state
        eventually(
            lambda: any(one.value is None for one in records(settings, forget)), ANSWERED_WITHIN_S
        )
        eventually(lambda: gateway.shown("ann")["source"] == "popular", ANSWERED_WITHIN_S)


def gauge_of(worker: Any) -> float:
    try:
        return gauge(worker, "headrace_index_items")
    except StopIteration:  # it does not answer yet
        return 0.0


def test_where_no_worker_answers_popularity_does(names: Names) -> None:
    settings = names.create_topics(gateway_dir=names.directory / "gateway", gateway_deadline_ms=50)
    put_items(settings, mugs(8))
    with RunningGateway(settings) as gateway:
        ranked = asked(gateway, "rank", candidates=["i2", "new", "i7", "i1", "i7"])
        assert (ranked["source"], ids(ranked)) == ("popular", ["i7", "i2", "i1", "new"])
        limited = asked(
            gateway, "rank", candidates=["i2", "i7", "i4"], filters={"category": "mugs"}, k=1
        )
        assert ids(limited) == ["i4"]
        found = asked(gateway, "search", query="thing 3")
        assert (found["source"], ids(found)[0]) == ("popular", "i3")
        misspelt = asked(gateway, "search", query="thimg 3")
        assert ids(misspelt) == ids(found)
        assert ids(asked(gateway, "search", query="")) == [f"i{n}" for n in reversed(range(8))]
        # The event is in the log all the same: the workers learn it when they are back.
        topic = settings.topics.search
        events = [
            decode_event(Kind.SEARCH, one.key, one.value, one.timestamp)
            for one in records(settings, topic)
        ]
        assert ranked["search_id"] in {event.event_id for event in events}
        wrong: list[dict[str, Any]] = [{}, {"candidates": []}, {"candidates": [""]}]
        for body in (*wrong, {"candidates": ["a"], "k": 0}):
            answer = gateway.client.post("/v1/rank", json={"user_id": "ann"} | body)
            assert (answer.status_code, answer.json()["status"]) == (422, 422)
