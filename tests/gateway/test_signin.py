"""Signing in: a key shown once, kept where no script can read it, and good for no other site."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams import admin
from streams.gateway.keys import new_key
from streams.gateway.limits import COOKIE
from streams.gateway.signin import local
from tests.conftest import Names
from tests.gateway.running import Client, RunningGateway

CLICK = {"type": "click", "user_id": "ann", "item_id": "mug-1"}
LIST = "/v1/users/ann/recommendations"
KEYS = {name: new_key(name, name.split("-")) for name in ("read", "write", "read-write", "admin")}


@pytest.fixture(scope="module")
def shop(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("gateway"))
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway",
        gateway_keys=",".join(key.setting for key in KEYS.values()),
        gateway_shop=True,
    )
    with RunningGateway(settings) as running:
        yield running
    admin.delete(settings)


@pytest.fixture
def browser(shop: RunningGateway) -> Iterator[Client]:
    """Yield a client that keeps cookies, as a browser, and tells where its forms come from."""
    with Client(shop.client.base_url) as client:
        yield client


def sign_in(browser: Client, key: str, to: str = "/shop", **headers: str) -> Any:
    return browser.post(
        "/signin",
        data={"key": key, "to": to},
        headers={"Origin": browser.base_url} | headers,
        allow_redirects=False,
    )


def test_who_has_no_key_is_led_to_the_door_and_gets_nothing(browser: Client) -> None:
    for path in ("/shop", "/shop/search?q=red+mug&x=1", "/shop/items/a%2Fb", "/shop/basket"):
        answer = browser.get(path, allow_redirects=False)
        assert (answer.status_code, answer.content) == (303, b"")
        door = browser.get(answer.headers["location"])
        assert (door.status_code, "<h1>Sign in</h1>" in door.text) == (200, True)
    assert browser.get("/assets/shop.js").status_code == 200
    assert browser.get("/assets/..%2Fkeys.py").status_code == 404


@pytest.mark.parametrize(
    "key", ["", "guess", "a" * 5_000, pytest.param(KEYS["read"].setting, id="hash")]
)
def test_a_wrong_key_is_told_so_and_gets_no_cookie(browser: Client, key: str) -> None:
    answer = sign_in(browser, key)
    assert answer.status_code == 401
    assert "does not know that key" in answer.text
    assert "set-cookie" not in answer.headers
    assert browser.get("/shop", allow_redirects=False).status_code == 303


def test_a_key_is_kept_where_only_this_gateway_s_pages_use_it(browser: Client) -> None:
    secret = KEYS["read-write"].secret
    answer = sign_in(browser, f" {secret}\n", to="/shop/search?q=mug")
    assert (answer.status_code, answer.headers["location"]) == (303, "/shop/search?q=mug")
    cookie = answer.headers["set-cookie"]
    for part in (f"{COOKIE}={secret}", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"):
        assert part in cookie
    assert "Secure" not in cookie  # over plain HTTP it would never come back
    behind_tls = sign_in(browser, secret, **{"X-Forwarded-Proto": "https"})
    assert "Secure" in behind_tls.headers["set-cookie"]
    sign_in(browser, secret)
    page = browser.get("/shop")
    assert "/headrace.js" in page.text
    assert secret not in page.text
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert browser.get(LIST).status_code == 200
    out = browser.post("/signout", headers={"Origin": browser.base_url}, allow_redirects=False)
    assert out.status_code == 303
    assert browser.get(LIST).status_code == 401


@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, "GET", 200),
        ({"Sec-Fetch-Site": "none"}, "GET", 200),  # typed by its owner
        ({}, "GET", 200),  # a browser of before 2021 sends the cookie to this site's pages alone
        ({"Sec-Fetch-Site": "same-site"}, "GET", 401),  # a neighbouring subdomain
        ({"Sec-Fetch-Site": "cross-site"}, "GET", 401),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "OWN"}, "POST", 200),
        ({"Origin": "OWN"}, "POST", 200),
        ({}, "POST", 401),
        ({"Origin": "null"}, "POST", 401),
        ({"Origin": "http://["}, "POST", 401),
        ({"Origin": "http://127.0.0.1:1"}, "POST", 401),
        ({"Origin": "https://evil.example"}, "POST", 401),
        ({"Sec-Fetch-Site": "same-site", "Origin": "OWN"}, "POST", 401),
    ],
)
def test_the_cookie_counts_for_own_pages_alone(
    browser: Client, headers: dict[str, str], method: str, status: int
) -> None:
    sign_in(browser, KEYS["admin"].secret)
    path, body = (LIST, None) if method == "GET" else ("/v1/events", CLICK)
    sent = {k: v.replace("OWN", browser.base_url) for k, v in headers.items()}
    answer = browser.request(method, path, json=body, headers=sent)
    assert answer.status_code == status, answer.text


def test_the_cookie_opens_what_its_key_opens(browser: Client) -> None:
    own = {"Origin": browser.base_url}
    for name, opens in [
        ("read", {"list"}),
        ("write", {"events"}),
        ("read-write", {"list", "events", "shop"}),
    ]:
        sign_in(browser, KEYS[name].secret)
        found = {
            "list": browser.get(LIST).status_code,
            "events": browser.post("/v1/events?key=", json=CLICK, headers=own).status_code,
            "item": browser.put("/v1/items/a", json={}, headers=own).status_code,
            "shop": browser.get("/shop").status_code,
        }
        assert found == {what: 200 if what in opens else 403 for what in found}
    # A key in a header is somebody else's word, and goes first.
    wrong = browser.get(LIST, headers={"X-API-Key": "guess"})
    assert wrong.status_code == 401


def test_a_key_that_is_not_good_for_the_page_is_told_what_is(browser: Client) -> None:
    sign_in(browser, KEYS["read"].secret)
    answer = browser.get("/shop")
    assert "key &#39;read&#39; is for read; this page needs read, write" in answer.text


def test_no_other_site_signs_anybody_in_or_out(browser: Client) -> None:
    for path in ("/signin", "/signout"):
        for origin in ("https://evil.example", "null"):
            answer = browser.post(
                path, data={"key": KEYS["admin"].secret}, headers={"Origin": origin}
            )
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


@given(to=st.text(st.sampled_from("/\\:@.ahtps?#%\t\n\r é")) | st.text())
@example(to="//evil.example")
@example(to="/\\evil.example")
@example(to="/\t/evil.example")
@example(to="/shop/items/a%2Fb?x=1")
def test_a_sign_in_leads_to_no_other_host(to: str) -> None:
    base = "https://gate.example/signin"
    found = local(to, "/shop")
    seen = found.replace("\\", "/").translate(dict.fromkeys(map(ord, "\t\r\n")))  # as browsers do
    assert urlsplit(urljoin(base, seen)).netloc == "gate.example"
    if to == "/shop/items/a%2Fb?x=1":
        assert found == to


def test_without_keys_there_is_no_door(names: Names) -> None:
    settings = names.create_topics(gateway_dir=names.directory / "gateway", gateway_shop=True)
    with RunningGateway(settings) as gateway:
        answer = gateway.client.get("/signin?to=/shop/basket", allow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/shop/basket")
        page = gateway.client.get("/shop")
        assert (page.status_code, "Sign out" in page.text) == (200, False)


def test_without_pages_there_is_neither(gateway: RunningGateway) -> None:
    for path in ("/shop", "/signin", "/assets/page.css"):
        assert gateway.client.get(path).status_code == 404
