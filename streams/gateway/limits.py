"""What every request must pass: how many at once, how often, how large, and who calls."""

import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.gateway.keys import Keyring, is_loopback
from streams.gateway.meter import GatewayMeter
from streams.gateway.problems import Problem, response_of
from streams.settings import PREFIX, Settings
from streams.settings_gateway import origins_of

CALLERS = 10_000
"""Whose pace is remembered; of more, those that were heard of longest ago are forgotten."""
BURST_S = 2.0
"""A caller that was quiet may send what it is allowed in so long at once."""
COOKIE = "headrace-key"
"""Where `streams.gateway.signin` keeps a person's key."""
_FREE = ("/healthz", "/readyz")  # asked by those who watch, whatever the load


class Pace:
    """How often each caller may call: a bucket that fills steadily, of bounded number.

    Args:
        rate: Calls a second; 0: any number.
        clock: Seconds, going forward.
        callers: How many are remembered.
    """

    def __init__(
        self, rate: int, clock: Callable[[], float] = time.monotonic, callers: int = CALLERS
    ) -> None:
        self._rate = rate
        self._most = rate * BURST_S
        self._clock = clock
        self._callers = callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Count the callers that are remembered."""
        return len(self._buckets)

    def wait_s(self, caller: str) -> float:
        """Count a call; return 0 where it may go on, else the seconds until the next one may."""
        if not self._rate:
            return 0.0
        now = self._clock()
        left, then = self._buckets.pop(caller, (self._most, now))
        left = min(self._most, left + (now - then) * self._rate)
        waits = left < 1
        self._buckets[caller] = (left if waits else left - 1, now)
        if len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
        return (1 - left) / self._rate if waits else 0.0


class Gate:
    """ASGI middleware that applies the limits and says in `scope["key"]` who calls.

    Args:
        app: What is behind it.
        settings: The limits.
        keyring: Who may call.
        meter: Counts requests.
    """

    def __init__(
        self, app: ASGIApp, settings: Settings, keyring: Keyring, meter: GatewayMeter
    ) -> None:
        self._app = app
        self._keyring = keyring
        self._meter = meter
        self._pace = Pace(settings.gateway_rate)
        self._body_bytes = settings.gateway_body_bytes
        self._most = settings.gateway_concurrency
        self._origins = frozenset(origins_of(settings.gateway_cors))
        self._working = 0
        meter.working.set_function(lambda: self._working)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the app do it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._working += 1
        try:
            refusal = self._refusal(scope)
            if refusal is None:
                await self._app(scope, self._bounded(receive), noting)
            else:
                await response_of(refusal)(scope, receive, noting)
        finally:
            self._working -= 1
            route = getattr(scope.get("route"), "path", "none")
            self._meter.requests.labels(route, status).inc()
            self._meter.seconds.labels(route).observe(time.perf_counter() - begun)

    def _refusal(self, scope: Scope) -> Problem | None:
        if scope["path"] in _FREE:
            return None
        if self._working > self._most:
            detail = (
                f"{self._most} requests are at work ({PREFIX}GATEWAY_CONCURRENCY): try again soon"
            )
            return Problem(503, detail, headers={"Retry-After": "1"})
        headers = Headers(scope=scope)
        if self._keyring.open and (stranger := self._stranger(headers)):
            detail = (
                f"{stranger}: without keys only programs and pages of this machine may call; make "
                "keys by `headrace gateway-key`"
            )
            return Problem(403, detail)
        scope["key"] = key = self._keyring.find(_secret(scope, headers))
        address = (scope.get("client") or ("unknown",))[0]
        caller = f"key {key.name}" if key and key.name else address
        if wait_s := self._pace.wait_s(caller):
            detail = (
                f"{caller} sends more than allowed ({PREFIX}GATEWAY_RATE): try again in "
                f"{wait_s:.3f} s"
            )
            return Problem(429, detail, headers={"Retry-After": str(int(wait_s) + 1)})
        size = headers.get("content-length", "0")
        if size.isdigit() and int(size) > self._body_bytes:
            return self._too_large()
        return None

    def _stranger(self, headers: Headers) -> str | None:
        """Name what shows that a request comes from elsewhere, though it came to this machine.

        A proxy passes it on, or a browser has it from another site's page: that may call itself by
        any name, and have the name lead here.
        """
        host, origin = headers.get("host", ""), headers.get("origin")
        if not _here(f"//{host}"):
            return f"`Host` is {host!r}"
        if origin is None or not self._origins.isdisjoint((origin, "*")):
            return None
        return None if _here(origin) else f"`Origin` is {origin!r}"

    def _bounded(self, receive: Receive) -> Receive:
        """Return a `receive` that ends a body which says no length, and is too large."""
        size = 0

        async def bounded() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._body_bytes:
                raise self._too_large()
            return message

        return bounded

    def _too_large(self) -> Problem:
        rule = f"{self._body_bytes} bytes are allowed ({PREFIX}GATEWAY_BODY_BYTES)"
        return Problem(413, f"{rule}: send fewer events at once")


def _here(url: str) -> bool:
    """Tell whether a URL names this machine."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # it is none
        return False


def _secret(scope: Scope, headers: Headers) -> str | None:
    """Return the key that a request shows.

    In a header or, as beacons have none, its address; a person's own pages, by a cookie.
    """
    if (given := headers.get("authorization")) and given[:7].lower() == "bearer ":
        return given[7:].strip()
    if given := headers.get("x-api-key"):
        return given
    if scope["query_string"] and (given := QueryParams(scope["query_string"]).get("key")):
        return given
    if "cookie" in headers and own_page(scope["method"], headers):
        return cookie_parser(headers["cookie"]).get(COOKIE)
    return None


def own_page(method: str, headers: Headers) -> bool:
    """Tell whether a browser sends a request for a page of this gateway, or its user's own sake.

    Its cookie goes along with requests of other pages too, where these are of the same site (a
    neighbouring subdomain), so the cookie alone does not say that its owner wants anything done.
    """
    if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return False
    if method in {"GET", "HEAD", "OPTIONS"}:
        return True
    try:
        return urlsplit(headers.get("origin", "")).netloc == headers["host"]
    except (KeyError, ValueError):
        return False
