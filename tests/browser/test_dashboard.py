"""The dashboard in Chromium: what happens in a real Kafka, worker and gateway is seen on it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaProducer
from playwright.sync_api import Locator, Page, expect

from features.events import Click
from streams import admin, bulk
from streams.clock import now_ms
from streams.connecting import connected
from streams.gateway.keys import NewKey, new_key
from tests.browser.beside import beside
from tests.browser.look import keys_lead_to, look
from tests.browser.shop import HOSTILE, history, open_shop
from tests.browser.watch import Watch
from tests.conftest import Names
from tests.gateway.running import RunningGateway

SEEN_WITHIN_MS = 20_000  # a look every other second, on a machine that does much else
KEYS = {scope: new_key(scope, [scope]) for scope in ("read", "write", "admin")}


@pytest.fixture(scope="module")
def shop(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("dashboard"))
    keys = ",".join(key.setting for key in KEYS.values())
    with open_shop(
        names, history(now_ms()), gateway_dashboard=True, gateway_keys=keys, worker_id="worker-1"
    ) as running:
        yield running
    admin.delete(names.settings())


def signed_in(page: Page, shop: RunningGateway, key: NewKey) -> None:
    page.goto(f"{shop.client.base_url}/dashboard")
    page.get_by_label("Key").fill(key.secret)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#state")).to_contain_text("Live from", timeout=SEEN_WITHIN_MS)


def tile(page: Page, name: str) -> Locator:
    return page.locator("#tiles div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def count_in(text: str) -> int:
    return int(re.sub(r"\D", "", text))


@pytest.mark.parametrize("who", ["nobody", "write", "read", "admin"])
def test_each_key_opens_its_doors_and_no_other(shop: RunningGateway, who: str) -> None:
    headers = {"X-API-Key": KEYS[who].secret} if who in KEYS else {}
    refused = 401 if who == "nobody" else 403
    doors = {
        "/dashboard/data": {"read", "admin"},
        "/dashboard/data?window=5m": {"read", "admin"},
        "/dashboard/dead-letters": {"admin"},
        "/dashboard/users/past-0": {"admin"},
    }
    for path, good in doors.items():
        answer = shop.client.get(path, headers=headers)
        assert answer.status_code == (200 if who in good else refused), path
        assert answer.ok or answer.json()["status"] == refused
    page = shop.client.get("/dashboard", headers=headers, allow_redirects=False)
    assert page.status_code == {"nobody": 303, "write": 403}.get(who, 200)
    assert page.headers.get("location", "/signin?to=%2Fdashboard") == "/signin?to=%2Fdashboard"


def test_events_that_are_sent_show_up(page: Page, shop: RunningGateway) -> None:
    signed_in(page, shop, KEYS["read"])
    learnt = tile(page, "Events").locator("span")
    expect(learnt).to_have_text(f"{len(history(0))} learnt", timeout=SEEN_WITHIN_MS)
    more = [
        Click(event_id=f"more-{n}", user_id=f"more-{n}", item_id="red-mug", ts=now_ms())
        for n in range(40)
    ]
    page.get_by_label("5 min").check()
    beside(bulk.publish, shop.settings, more)
    expect(learnt).to_have_text(f"{len(history(0)) + len(more)} learnt", timeout=SEEN_WITHIN_MS)
    expect(tile(page, "Waiting")).to_have_text(re.compile("^0"), timeout=SEEN_WITHIN_MS)
    expect(tile(page, "Event to list")).to_have_text(re.compile(r"\d ms"))

    events = page.locator("figure").filter(has_text="Events").first
    events.get_by_text("Values").click()
    rates = events.locator("tbody tr").all_inner_texts()
    clicks = [row.split("\t")[1] for row in rates]
    assert any(re.match(r"[1-9]", rate) for rate in clicks), rates

    worker = page.locator("#worker-table tbody tr")
    expect(worker).to_contain_text("worker-1")
    expect(worker).to_contain_text("well")
    expect(worker).to_contain_text("0, 1, 2, 3")
    expect(page.locator("#lag-table tbody tr")).to_have_count(shop.settings.partitions)
    expect(page.locator("#item-tables")).to_contain_text("Red mug", timeout=SEEN_WITHIN_MS)


def test_a_bad_record_is_counted_and_seen_inside_as_text(
    page: Page, shop: RunningGateway, watch: Watch
) -> None:
    producer: Any = connected(KafkaProducer, shop.settings)
    topic = shop.settings.topics.click
    sent = producer.send(
        topic, HOSTILE.encode(), key=b"<b>key</b>", headers=[("h", b"<i>head</i>")]
    )
    place = sent.get(timeout=20)
    producer.send(topic, bytes(range(256)), key=b"bytes")
    producer.close()

    signed_in(page, shop, KEYS["admin"])
    expect(tile(page, "Dead letters")).to_have_text(re.compile("^2"), timeout=SEEN_WITHIN_MS)
    bars = page.locator("#reasons figure").filter(has_text="Dead letters")
    expect(bars.get_by_role("row", name="undecodable")).to_contain_text("2")
    page.get_by_role("button", name="Look at the newest").click()
    source = f"{topic}[{place.partition}]@{place.offset}"
    letter = page.locator(".letter").filter(has_text=source)
    letter.locator("summary").click()
    expect(letter.locator("pre").first).to_have_text(HOSTILE)
    for text in ("<b>key</b>", "<i>head</i>", "undecodable", source):
        expect(letter).to_contain_text(text)
    assert (
        page.locator("#letters-found :is(img, b:not(summary b), i:not(.bars i), script)").count()
        == 0
    )
    binary = page.locator(".letter").filter(has_text="256 B of bytes")
    binary.locator("summary").click()
    expect(binary.locator("pre")).to_contain_text("00 01 02")
    assert watch.faults() == []


def test_the_inspector_shows_what_the_workers_know(
    page: Page, shop: RunningGateway, watch: Watch
) -> None:
    watch.allow("status 404: .*users/%3Cimg")
    watch.allow("console error: .*404")
    signed_in(page, shop, KEYS["admin"])
    acts = [event for event in history(0) if event.user_id == "past-3"]
    ids = [event.item_id for event in reversed(acts) if hasattr(event, "item_id")]

    page.get_by_label("User id").fill("past-3")
    page.get_by_role("button", name="Look", exact=True).click()
    seen = page.get_by_role("region", name="History").locator("tbody tr")
    expect(seen).to_have_count(len(set(ids)) + 1)  # what was bought was also clicked
    assert seen.first.inner_text().split()[-1] == ids[0]
    headers = {"X-API-Key": KEYS["admin"].secret}
    made = shop.client.get("/v1/users/past-3/recommendations", headers=headers).json()
    shown = page.get_by_role("region", name="Newest list: for you, shop").locator("tbody tr")
    worked = [item["item_id"] for item in made["items"][: len(made["items"]) - made["filled"]]]
    told = [row.split("\t")[1].split()[-1] for row in shown.all_inner_texts()]
    assert told[: len(worked)] == worked

    page.get_by_role("button", name=f"Why {told[0]}?").click()
    features = page.get_by_role("region", name="Features that the ranker sees").locator("tbody tr")
    expect(features.first).to_be_visible(timeout=SEEN_WITHIN_MS)
    path = f"/v1/users/past-3/explain/{told[0]}"
    listed = shop.client.get(path, headers=headers).json()["listed"]
    place = f"Place {listed['place']} of {listed['candidates']} candidates"
    expect(page.locator("#user-found")).to_contain_text(place)

    page.get_by_label("User id").fill("<img src=x>")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.locator("#user-said")).to_contain_text("nothing is known of user '<img src=x>'")
    expect(page.locator("#user-found")).to_be_empty()


def test_nobody_is_shut_out(page: Page, shop: RunningGateway) -> None:
    signed_in(page, shop, KEYS["admin"])
    expect(page.locator("figure canvas")).to_have_count(10)
    page.get_by_role("button", name="Look at the newest").click()
    expect(page.locator("#letters-said")).to_contain_text(re.compile("newest first|none"))
    page.get_by_label("User id").fill("past-3")
    page.get_by_role("button", name="Look", exact=True).click()
    page.get_by_role("region", name="History").wait_for()
    for closed in page.locator("summary").all():
        closed.click()
    look(page, "dashboard")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = false })")
    page.evaluate("document.activeElement.blur()")
    keys_lead_to(page, "#letters-look")
    keys_lead_to(page, "#user-id")
    figures = page.locator("figure[aria-labelledby]")
    assert figures.count() == page.locator("figure canvas").count()
    assert figures.locator("details .scroll table").count() == figures.count()


def test_a_reader_is_told_what_an_admin_may_see(
    page: Page, shop: RunningGateway, watch: Watch
) -> None:
    watch.allow("status 403: .*dead-letters")
    watch.allow("console error: .*403")
    signed_in(page, shop, KEYS["read"])
    page.get_by_role("button", name="Look at the newest").click()
    expect(page.locator("#letters-said")).to_have_text("key 'read' is for read; this needs admin")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Key")).to_be_visible()
    page.goto(f"{shop.client.base_url}/dashboard")
    expect(page.get_by_label("Key")).to_be_visible()
