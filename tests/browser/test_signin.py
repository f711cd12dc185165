"""Signing in, as people do it."""

from typing import Any

from playwright.sync_api import Page, expect

from features.events import Kind
from streams.gateway.keys import new_key
from tests.browser.look import look
from tests.browser.shop import sent_by
from tests.browser.watch import Watch
from tests.conftest import Names
from tests.gateway.running import RunningGateway
from tests.support import eventually

KEYS = {name: new_key(name, name.split("-")) for name in ("read", "read-write")}


def test_a_key_is_the_way_in_and_a_wrong_one_gets_nothing(
    page: Page, watch: Watch, names: Names
) -> None:
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway",
        gateway_shop=True,
        gateway_keys=",".join(key.setting for key in KEYS.values()),
    )
    with RunningGateway(settings) as gateway:
        watch.allow("status 401: .*/signin$|console error: .*401")
        watch.allow("status 403: .*/shop/basket$|console error: .*403")
        page.goto(f"{gateway.client.base_url}/shop/basket")
        expect(page.get_by_label("Key")).to_be_focused()
        look(page, "signin")
        for key in ("wrong", KEYS["read-write"].setting):
            page.get_by_label("Key").fill(key)
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("does not know that key")
            assert page.context.cookies() == []
        look(page, "signin-wrong")
        page.get_by_label("Key").fill(KEYS["read"].secret)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("this page needs read, write")
        page.get_by_label("Key").fill(KEYS["read-write"].secret)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Basket")
        page.wait_for_load_state()  # its scripts have run
        # What the page asks for and sends goes by the cookie, which no script sees.
        assert page.evaluate("document.cookie") == ""
        sent = page.evaluate("fetch('/v1/users/ann/recommendations').then(found => found.status)")
        assert sent == 200
        page.evaluate("headrace.send('click', {item_id: 'red-mug'})")
        visitor = page.locator(".visitor span").inner_text()
        found = eventually(lambda: click_of(page, gateway, visitor), 10)
        assert found[0]["item_id"] == "red-mug"
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Key")).to_be_visible()
        page.goto(f"{gateway.client.base_url}/shop")
        expect(page.get_by_label("Key")).to_be_visible()


def click_of(page: Page, gateway: RunningGateway, visitor: str) -> list[dict[str, Any]]:
    page.wait_for_timeout(1)
    return sent_by(gateway, visitor, Kind.CLICK)
