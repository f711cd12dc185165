"""A visitor in the shop: real events through a real Kafka and a real worker, and what they see."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from features.events import Kind
from streams import admin
from streams.clock import now_ms
from tests.browser.look import PICTURES, keys_lead_to, look
from tests.browser.shop import HOSTILE, catalogue, history, open_shop, sent_by
from tests.browser.watch import Watch
from tests.conftest import Names
from tests.gateway.running import RunningGateway
from tests.support import eventually

CHANGED_WITHIN_MS = 10_000  # of a machine that does much else; how long it took is written down


LISTS = "**/v1/users/visitor-*/recommendations*"


def listed(*item_ids: str) -> dict[str, Any]:
    """Return a worker's list, as the gateway answers."""
    items = [
        {"item_id": item_id, "score": 0.5, "rank": rank, "reasons": []}
        for rank, item_id in enumerate(item_ids, 1)
    ]
    return {"user_id": "x", "surface": "for_you", "source": "worker", "items": items}


@pytest.fixture(scope="module")
def shop(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("shop"))
    with open_shop(names, history(now_ms())) as running:
        yield running
    admin.delete(names.settings())


def opened(page: Page, shop: RunningGateway, path: str = "/shop") -> None:
    page.goto(shop.client.base_url + path)
    expect(page.locator("#row li").first).to_be_visible()


def row(page: Page) -> list[str]:
    return page.locator("#row .title").all_inner_texts()


def test_a_visitor_searches_opens_and_buys_and_the_row_follows(
    page: Page, shop: RunningGateway
) -> None:
    opened(page, shop)
    visitor = page.locator(".visitor span").inner_text()
    expect(page.locator("#row-note")).to_have_text("popular now, as for every stranger")
    expect(page.locator("#row .because").first).to_have_text("popular now")
    expect(page.locator("#looks-none")).to_be_visible()
    stranger = row(page)

    page.get_by_role("searchbox").fill("lamp")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#found li").first).to_contain_text("lamp")
    expect(page.locator("#events li")).to_have_text(re.compile(r"search.*“lamp”.*\d+ ms"))
    second = page.locator("#found li").nth(1)
    title = second.locator(".title").inner_text()
    second.get_by_role("link").click()

    # The item's page: the click has gone out by beacon, and comes back as another row.
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    took = page.locator("#events li").first.locator(".took")
    expect(took).to_have_text(re.compile(r"^\d+ ms$"), timeout=CHANGED_WITHIN_MS)
    expect(page.locator("#row .because", has_text=title).first).to_be_visible()
    assert row(page) != stranger
    expect(page.locator("#bars li").first).to_contain_text(title)
    expect(page.locator("#bars .share").first).to_have_text(re.compile(r"^\d+ %$"))
    after_click = took.inner_text()

    page.get_by_role("button", name="Buy now").click()
    bought = page.locator('#events li[data-type="purchase"] .took')
    expect(bought).to_have_text(re.compile(r"^\d+ ms$"), timeout=CHANGED_WITHIN_MS)
    expect(page.locator("#status")).to_contain_text("Your row has changed")
    told = f"the row changed {after_click} after a click, {bought.inner_text()} after a purchase\n"
    (PICTURES / "shop-times.txt").write_text(told, encoding="utf-8")

    def sent() -> list[list[dict[str, Any]]]:
        kinds = (Kind.SEARCH, Kind.CLICK, Kind.PURCHASE)
        found = [sent_by(shop, visitor, kind) for kind in kinds]
        return found if all(found) else []

    (search,), (click,), (purchase,) = eventually(sent, 10)
    assert (search["query"], click["search_id"]) == ("lamp", search["event_id"])
    assert (click["position"], purchase["quantity"]) == (2, 1)
    assert click["item_id"] == purchase["item_id"]
    assert click["price"] == purchase["price"]


def test_a_search_leads_the_row_until_the_next_list(page: Page, shop: RunningGateway) -> None:
    opened(page, shop, "/shop/search?q=red%20bag")
    expect(page.locator("#events li")).to_have_text(re.compile(r"search.*“red bag”.*\d+ ms"))
    expect(page.locator("#found li").first).to_be_visible()
    found = page.locator("#found .title").all_inner_texts()
    visitor = page.locator(".visitor span").inner_text()
    opened(page, shop)
    said = page.locator("#row .because", has_text="because you searched “red bag”")
    expect(said).to_have_count(min(4, len(found)))
    assert row(page)[: said.count()] == found[: said.count()]
    page.locator("#row li").first.get_by_role("link").click()
    took = page.locator("#events li").first.locator(".took")
    expect(took).to_have_text(re.compile(r"^\d+ ms$"), timeout=CHANGED_WITHIN_MS)
    expect(said).to_have_count(0)
    clicks = eventually(lambda: sent_by(shop, visitor, Kind.CLICK), 10)
    (search,) = sent_by(shop, visitor, Kind.SEARCH)
    assert [(one["search_id"], one["position"]) for one in clicks] == [(search["event_id"], 1)]


def test_bars_share_out_what_the_row_s_reasons_rest_on(page: Page, shop: RunningGateway) -> None:
    def reason(kind: str, item_id: str | None, weight: float) -> dict[str, Any]:
        return {"kind": kind, "item_id": item_id, "weight": weight}

    reasons = [
        [reason("attention", "red-mug", 0.6), reason("bought_together", "blue-bag", 0.2)],
        [reason("viewed_together", "red-mug", 0.2), reason("popular", None, 1.0)],
        [],
    ]
    made = listed("red-lamp", "blue-lamp", "green-lamp")
    for item, found in zip(made["items"], reasons, strict=True):
        item["reasons"] = found
    page.route(LISTS, lambda route: route.fulfill(json=made))
    opened(page, shop)
    expect(page.locator("#row .because")).to_have_text(
        ["because you looked at Red mug", "popular now", "no one reason stands out"]
    )
    expect(page.locator("#bars li")).to_have_text(["Red mug80 %", "Blue bag20 %"])
    parts = page.locator("#bars i").evaluate_all(
        "bars => bars.map(bar => bar.offsetWidth / bar.parentElement.offsetWidth)"
    )
    assert parts == pytest.approx([0.75, 0.25, 0, 0.25], abs=0.02)
    expect(page.locator("#legend")).to_be_visible()
    look(page, "shop-attention")


def test_a_row_that_changes_leaves_press_and_focus_where_they_are(
    page: Page, shop: RunningGateway
) -> None:
    held: list[Route] = []
    page.route(LISTS, lambda route: route.fulfill(json=listed("red-lamp", "blue-lamp")))
    opened(page, shop)
    page.unroute(LISTS)

    def hold(route: Route) -> None:
        held.append(route)

    page.route(LISTS, hold)
    with page.expect_request(LISTS):
        page.reload()
    page.locator("#row a").nth(1).focus()
    held.pop().fulfill(json=listed("green-lamp", "blue-lamp", "red-lamp"))
    expect(page.locator("#row .title")).to_have_text(["Green lamp", "Blue lamp", "Red lamp"])
    expect(page.locator("#row a").nth(1)).to_be_focused()

    with page.expect_request(LISTS):
        page.reload()
    page.locator("#row a").nth(2).hover()
    page.mouse.down()
    # Before it draws, the page asks what the unknown item is; what is asked after that comes later.
    with page.expect_response(lambda answer: "id=white-lamp" in answer.url):
        held.pop().fulfill(json=listed("white-lamp", "red-lamp", "blue-lamp"))
    page.evaluate("fetch('/v1/items?id=red-mug').then(answer => answer.json())")
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_have_text("Red lamp")


def test_a_new_visitor_is_a_stranger(page: Page, shop: RunningGateway) -> None:
    opened(page, shop)
    visitor = page.locator(".visitor span").inner_text()
    page.locator("#row a").first.click()
    expect(page.locator("#events li")).to_have_count(1)
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("button", name="New visitor").click()
    expect(page.locator(".visitor span")).not_to_have_text(visitor)
    expect(page.locator("#row-note")).to_have_text("popular now, as for every stranger")
    expect(page.locator("#events li")).to_have_count(0)
    expect(page.locator("#basket-count")).to_be_hidden()


def test_a_basket_is_bought_line_by_line(page: Page, shop: RunningGateway) -> None:
    opened(page, shop, "/shop/items/red-mug")
    page.get_by_role("button", name="Add to basket").click()
    expect(page.locator("#basket-count")).to_have_text("1")
    opened(page, shop, "/shop/items/blue-bag")
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="Basket").click()
    page.get_by_role("button", name="One more of Red mug").click()
    expect(page.get_by_role("button", name="One more of Red mug")).to_be_focused()
    expect(page.locator("#total")).to_have_text("Together 11.50")
    look(page, "shop-basket")
    visitor = page.locator(".visitor span").inner_text()
    page.get_by_role("button", name="Buy all").click()
    expect(page.locator("#basket-none")).to_have_text("Thank you. It is empty now.")
    found = eventually(lambda: len(sent_by(shop, visitor, Kind.PURCHASE)) == 2, 10)
    assert found
    lines = {(one["item_id"], one["quantity"]) for one in sent_by(shop, visitor, Kind.PURCHASE)}
    assert lines == {("red-mug", 2), ("blue-bag", 1)}


def test_words_of_the_catalogue_and_of_people_are_words(page: Page, shop: RunningGateway) -> None:
    # A script that ran, or an image that was asked for, would be seen by the page's watch as well.
    (hostile,) = [item for item in catalogue() if item.title == HOSTILE]
    opened(page, shop, "/shop/search?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'%20bold")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Found for “<img src=x onerror=alert(1)>\"' bold”"
    )
    expect(page.locator("#found .title").first).to_have_text(HOSTILE)
    page.locator("#found a").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("#item")).to_contain_text(f"Item {hostile.item_id}")
    expect(page.locator("#events li").first.locator(".took")).to_have_text(
        re.compile("ms$"), timeout=CHANGED_WITHIN_MS
    )
    page.get_by_role("button", name="Add to basket").click()
    page.get_by_role("link", name="Basket").click()
    expect(page.locator("#basket .title")).to_have_text(HOSTILE)
    assert page.locator("img, iframe, main b:text('bold')").count() == 0


def test_a_script_that_slips_in_does_not_run(
    page: Page, watch: Watch, shop: RunningGateway
) -> None:
    opened(page, shop)
    watch.allow("inline script.*Content Security Policy")
    watch.allow("inline event handler.*Content Security Policy")
    watch.allow("https://example.com/x.png")
    page.evaluate(
        """() => {
            const script = document.createElement("script"), button = document.createElement("b");
            script.textContent = "window.ran = 1";
            button.setAttribute("onclick", "window.ran = 2");
            document.body.append(script, button);
            button.click();
            const image = new Image();
            image.src = "https://example.com/x.png";
        }"""
    )
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None


def test_keys_alone_are_enough(page: Page, shop: RunningGateway) -> None:
    opened(page, shop)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys_lead_to(page, "#q")
    page.keyboard.type("mug")
    page.keyboard.press("Enter")
    expect(page.locator("#found li").first).to_be_visible()
    keys_lead_to(page, "#found a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("mug")
    keys_lead_to(page, "#buy")
    page.keyboard.press("Enter")
    expect(page.locator('#events li[data-type="purchase"] .took')).to_have_text(
        re.compile("ms$"), timeout=CHANGED_WITHIN_MS
    )
    keys_lead_to(page, "#row a")


def test_every_page_is_for_everybody(page: Page, shop: RunningGateway) -> None:
    opened(page, shop)
    expect(page.locator("#window li").first).to_be_visible()
    look(page, "shop-stranger")
    page.locator("#row a").first.click()
    expect(page.locator("#events .took").first).to_have_text(
        re.compile("ms$"), timeout=CHANGED_WITHIN_MS
    )
    expect(page.locator("#bars li").first).to_be_visible()
    look(page, "shop-item")
    opened(page, shop, "/shop/search?q=mug")
    expect(page.locator("#found li").first).to_be_visible()
    look(page, "shop-search")
    opened(page, shop)
    expect(page.locator("#window li").first).to_be_visible()
    look(page, "shop-home")


def test_an_item_that_is_gone_is_told_so(page: Page, watch: Watch, shop: RunningGateway) -> None:
    watch.allow("status 404: .*/shop/items/gone|console error: .*404")
    opened(page, shop, "/shop/items/gone")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such item")
    look(page, "shop-missing")
