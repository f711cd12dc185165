"""The script for a shop's pages, run by a JavaScript engine on a page that is none."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import quickjs

from streams.gateway import snippet
from tests.gateway.running import RunningGateway

SCRIPT = snippet.as_served().decode()
PAGE = Path(__file__).with_name("page.js").read_text()


class Page:
    """A page that has loaded the script."""

    def __init__(self, **dataset: str) -> None:
        self._context = quickjs.Context()
        self.run(PAGE.replace("DATASET", json.dumps(dataset)))
        self.run(SCRIPT)

    def run(self, code: str) -> Any:
        answer = self._context.eval(code)
        while self._context.execute_pending_job():
            pass
        return answer

    def happen(self, name: str, dataset: dict[str, str]) -> None:
        self.run(f"happen({json.dumps(name)}, {json.dumps(dataset)})")

    def tick(self) -> float:
        """Let the time pass that the script waits for; return how long that was, ms."""
        return float(self.run("tick()"))

    def told(self, how: str = "calls") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.run("told()"))[how]
        return found


def without_ids(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in one.items() if k not in {"event_id", "ts"}} for one in events]


def test_clicks_purchases_and_searches_go_in_one_batch() -> None:
    page = Page(key="k&y", user="ann", consent="yes")
    page.happen("click", {"hrItem": "mug-1", "hrSearch": "s-1", "hrPosition": "2"})
    page.happen("click", {"hrItem": "mug-1", "hrBuy": "", "hrQuantity": "3", "hrCurrency": "EUR"})
    page.happen("submit", {"value": "red mug"})
    page.run("window.headrace.send('click', {item_id: 'by-hand'})")
    page.happen("submit", {"value": ""})
    assert page.told() == []
    page.tick()
    (call,) = page.told()
    assert call["to"] == "https://gate.example/v1/events?key=k%26y"
    who = {"user_id": "ann"}
    assert without_ids(call["events"]) == [
        who | {"type": "click", "item_id": "mug-1", "search_id": "s-1", "position": 2},
        who | {"type": "purchase", "item_id": "mug-1", "quantity": 3, "currency": "EUR"},
        who | {"type": "search", "query": "red mug"},
        who | {"type": "click", "item_id": "by-hand"},
    ]
    assert len({one["event_id"] for one in call["events"]}) == 4
    assert all(one["ts"] > 1_700_000_000_000 for one in call["events"])


@pytest.mark.parametrize("consent", [None, "none"])
def test_without_consent_nothing_is_sent(consent: str | None) -> None:
    page = Page(user="ann", **({} if consent is None else {"consent": consent}))
    page.happen("click", {"hrItem": "mug-1"})
    page.tick()
    assert page.told() == []
    page.run("window.headrace.consent = 'yes'")  # given while the page is open
    page.happen("click", {"hrItem": "mug-2"})
    page.tick()
    assert [one["item_id"] for one in page.told()[0]["events"]] == ["mug-2"]


def test_a_no_is_passed_on() -> None:
    page = Page(user="ann", consent="no")
    page.happen("click", {"hrItem": "mug-1"})
    page.tick()
    assert page.told()[0]["events"][0]["consent"] is False


@pytest.mark.parametrize("status", [0, 429, 503])
def test_what_did_not_arrive_is_sent_again_as_it_was_and_ever_later(status: int) -> None:
    page = Page(user="ann", consent="yes")
    page.run(f"status = {status}")
    page.happen("click", {"hrItem": "mug-1"})
    waits = [page.tick() for _ in range(9)]
    assert waits == [500, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]
    first, *others = [call["events"] for call in page.told()]
    assert all(other == first for other in others)  # the event_id too: it counts once
    page.run("status = 200")
    page.tick()
    sent = len(page.told())
    page.tick()
    assert len(page.told()) == sent


def test_what_is_refused_is_not_sent_again() -> None:
    page = Page(user="ann", consent="yes")
    page.run("status = 422")
    page.happen("click", {"hrItem": "mug-1"})
    page.tick()
    page.tick()
    assert len(page.told()) == 1


def test_what_waits_is_bounded_and_goes_in_turns() -> None:
    page = Page(user="ann", consent="yes")
    page.run("for (let n = 0; n < 600; n++) window.headrace.send('search', {query: String(n)})")
    for _ in range(20):
        page.tick()
    sent = [one["query"] for call in page.told() for one in call["events"]]
    assert sent == [str(n) for n in range(100, 600)]


def test_a_page_that_is_left_sends_what_it_has_by_beacon() -> None:
    page = Page(user="ann", consent="yes")
    page.happen("click", {"hrItem": "mug-1"})
    page.run("document.visibilityState = 'hidden'; listeners.visibilitychange()")
    assert page.told() == []
    (beacon,) = page.told("beacons")
    assert beacon["events"][0]["item_id"] == "mug-1"


def test_the_gateway_serves_it_small_and_takes_what_it_sends(gateway: RunningGateway) -> None:
    answer = gateway.client.get("/headrace.js")
    assert answer.text == SCRIPT
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content)) <= 1024
    plain = gateway.client.get("/headrace.js", headers={"Accept-Encoding": "identity"})
    assert (plain.text, "content-encoding" in plain.headers) == (SCRIPT, False)
    page = Page(user="ann", consent="yes")
    page.happen("click", {"hrItem": "mug-1", "hrPosition": "1"})
    page.happen("submit", {"value": "red mug"})
    page.tick()
    body = json.dumps(page.told()[0]["events"])
    sent = gateway.client.post("/v1/events", data=body, headers={"Content-Type": "text/plain"})
    assert sent.json()["accepted"] == 2
