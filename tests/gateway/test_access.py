"""Who may call the gateway, how often and how much; and how it says no."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.cli import app
from streams.gateway.keys import Keyring, allows, new_key
from streams.gateway.limits import BURST_S, Pace
from streams.settings import BadSetting, Settings
from tests.conftest import Names
from tests.gateway.running import RunningGateway

CLICK = {"type": "click", "user_id": "ann", "item_id": "mug-1"}
LIST = "/v1/users/ann/recommendations"


@pytest.fixture(scope="module")
def keys() -> dict[str, Any]:
    return {scope: new_key(f"the-{scope}", [scope]) for scope in ("read", "write", "admin")}


def guarded(names: Names, keys: dict[str, Any], **more: Any) -> RunningGateway:
    known = ",".join(key.setting for key in keys.values())
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_keys=known, **more
    )
    return RunningGateway(settings)


def test_each_scope_opens_its_doors_and_no_other(names: Names, keys: dict[str, Any]) -> None:
    doors = [
        ("GET", LIST, None, {"read", "admin"}),
        ("GET", "/metrics", None, {"read", "admin"}),
        ("POST", "/v1/rank", {"user_id": "ann", "candidates": ["a"]}, {"read", "admin"}),
        ("POST", "/v1/events", CLICK, {"write", "admin"}),
        ("PUT", "/v1/items/a", {}, {"admin"}),
        ("DELETE", "/v1/items/a", None, {"admin"}),
        ("DELETE", "/v1/users/ann", None, {"admin"}),
        ("GET", "/healthz", None, {"read", "write", "admin", "none", "wrong"}),
        ("GET", "/headrace.js", None, {"read", "write", "admin", "none", "wrong"}),
    ]
    secrets = {name: key.secret for name, key in keys.items()}
    with guarded(names, keys, gateway_deadline_ms=1) as gateway:
        for method, path, body, good in doors:
            for who in (*secrets, "none", "wrong"):
                secret = secrets.get(who, "guess" if who == "wrong" else None)
                headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
                answer = gateway.client.request(method, path, json=body, headers=headers)
                if who in good:
                    assert answer.ok, (method, path, who, answer.text)
                else:
                    wanted = 403 if who in secrets else 401
                    assert answer.status_code == wanted, (method, path, who)
                    assert answer.json()["status"] == wanted
        # The same key by the other ways: a header of its own, and the address, as beacons need.
        secret = secrets["write"]
        answer = gateway.client.post("/v1/events", json=CLICK, headers={"X-API-Key": secret})
        assert answer.status_code == 200
        assert gateway.client.post(f"/v1/events?key={secret}", json=CLICK).status_code == 200


def test_only_a_loopback_address_is_open_without_keys() -> None:
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        key = Keyring(Settings(gateway_host=host)).find(None)
        assert key is not None
        assert allows(key, "admin")
    for host in ("0.0.0.0", "::", "10.0.0.7", "gateway.example"):
        with pytest.raises(BadSetting, match="headrace gateway-key"):
            Keyring(Settings(gateway_host=host))
    made = new_key("mine", ["read"])
    keyring = Keyring(Settings(gateway_host="0.0.0.0", gateway_keys=made.setting))
    assert keyring.find(None) is None
    assert keyring.find(made.secret + "x") is None
    found = keyring.find(made.secret)
    assert found is not None
    assert (found.name, allows(found, "read"), allows(found, "write")) == ("mine", True, False)


def test_the_command_refuses_an_open_gateway_and_makes_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(app, ["gateway", "--host", "0.0.0.0"])
    assert isinstance(refused.exception, BadSetting)
    made = CliRunner().invoke(app, ["gateway-key", "pages", "--scope", "write"])
    setting = made.stderr.replace("\n", "").removeprefix("HEADRACE_GATEWAY_KEYS=")
    found = Keyring(Settings(gateway_keys=setting)).find(made.stdout.strip())
    assert found is not None
    assert found.scopes == {"write"}
    assert made.stdout.strip() not in setting


@pytest.mark.parametrize(
    "value", ["ann", "ann:read", f"ann:fly:{'0' * 64}", f"a:read:{'0' * 64},a:read:{'1' * 64}"]
)
def test_a_malformed_key_is_refused_with_the_rule(value: str) -> None:
    with pytest.raises(BadSetting, match=r"HEADRACE_GATEWAY_KEYS = .* NAME:SCOPES:SHA256"):
        Settings(gateway_keys=value)


@given(
    rate=st.integers(1, 50),
    steps_s=st.lists(st.floats(0, 3), min_size=1, max_size=120),
)
def test_nobody_goes_faster_than_the_rate_for_long(rate: int, steps_s: list[float]) -> None:
    now = 0.0
    pace = Pace(rate, lambda: now)
    passed, waits = 0, 0.0
    for step_s in steps_s:
        now += step_s
        waits = pace.wait_s("ann")
        passed += waits == 0
        assert passed <= rate * (BURST_S + now) + 1e-6
    if waits:
        now += waits + 1e-6
        assert pace.wait_s("ann") == 0  # after the time that was said, it may


def test_the_callers_that_are_remembered_are_bounded() -> None:
    pace = Pace(1, lambda: 0.0, callers=10)
    for number in range(1000):
        pace.wait_s(str(number))
    assert len(pace) == 10
    assert Pace(0).wait_s("ann") == 0


def test_who_calls_too_often_is_told_when_to_come_back(names: Names, keys: dict[str, Any]) -> None:
    with guarded(names, keys, gateway_rate=5) as gateway:
        headers = {"X-API-Key": keys["read"].secret}
        found = [gateway.client.get(LIST, headers=headers) for _ in range(60)]
        turned = [one for one in found if one.status_code == 429]
        assert turned
        assert found[0].status_code == 200
        assert int(turned[0].headers["retry-after"]) >= 1
        assert turned[0].json()["type"] == "urn:headrace:problem:too-many"
        other = gateway.client.get(LIST, headers={"X-API-Key": keys["admin"].secret})
        assert other.status_code == 200  # another key has a pace of its own
        assert gateway.client.get("/healthz").status_code == 200


def test_pages_of_named_origins_may_call(names: Names) -> None:
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_cors="https://shop.example"
    )
    with RunningGateway(settings) as gateway:
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        answer = gateway.client.options("/v1/events", headers=asked)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        posted = gateway.client.post("/v1/events", json=CLICK, headers={"Origin": asked["Origin"]})
        assert posted.status_code == 200
        answer = gateway.client.get(LIST, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
        # An error can be read by the page as well.
        answer = gateway.client.get("/nowhere", headers={"Origin": "https://shop.example"})
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:8080"}, 200),
        ({"Host": "[::1]:8080"}, 200),
        ({"Host": "shop.example"}, 403),  # by a proxy, or a name that somebody had lead here
        ({"Host": ""}, 403),
        ({"Host": "[evil"}, 403),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_without_keys_only_this_machine_may_call(
    gateway: RunningGateway, headers: dict[str, str], status: int
) -> None:
    answer = gateway.client.post("/v1/events", json=CLICK, headers=headers)
    assert answer.status_code == status, answer.text


def test_the_framework_s_errors_are_problems_too(gateway: RunningGateway) -> None:
    for method, path, status in [
        ("GET", "/nowhere", 404),
        ("POST", LIST, 405),
        ("GET", f"{LIST}?k=0", 422),
        ("GET", f"{LIST}?k=many", 422),
        ("GET", f"{LIST}?domain=attic", 422),
    ]:
        answer = gateway.client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        told = answer.json()
        assert (told["status"], bool(told["detail"])) == (status, True)
    assert gateway.client.get(f"{LIST}?k=0").json()["errors"][0]["field"] == "k"


def test_more_requests_than_may_be_at_work_are_turned_away(names: Names) -> None:
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_concurrency=1, gateway_deadline_ms=500
    )
    with RunningGateway(settings) as gateway:
        asking = {"user_id": "ann", "candidates": ["a"]}
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: gateway.client.post("/v1/rank", json=asking), range(4)))
        assert sorted({one.status_code for one in found}) == [200, 503]
        turned = next(one for one in found if one.status_code == 503)
        assert "HEADRACE_GATEWAY_CONCURRENCY" in turned.json()["detail"]


def test_metrics_name_routes_and_not_people(gateway: RunningGateway) -> None:
    gateway.shown("a-person-of-note")
    gateway.client.get("/some/path/that/there/is/not")
    text = gateway.client.get("/metrics").text
    route = "/v1/users/{user_id:path}/recommendations"
    assert f'headrace_gateway_requests_total{{route="{route}",status="200"}}' in text
    assert 'route="none",status="404"' in text
    assert "a-person-of-note" not in text
    assert "/some/path" not in text
