"""What goes wrong on a page while a test looks elsewhere."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

_HERE = {"127.0.0.1", "localhost", "::1"}
_LOADED = {"http", "https", "ws", "wss"}  # not blob:, data:
_LEFT = "net::ERR_ABORTED"  # by the page itself, which went on to another
_BAD = 400


class Watch:
    """Notes errors on the console, failed requests, and requests to other hosts.

    Args:
        page: From its beginning.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._faults: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._faults.append(f"page error: {error}"))
        page.on("request", self._asked)
        page.on("response", self._answered)
        page.on("requestfailed", self._failed)

    def allow(self, pattern: str) -> None:
        """Take faults that a pattern finds as wanted; there must be one in the end."""
        self._allowed.append(re.compile(pattern))

    def faults(self) -> Sequence[str]:
        """Return what went wrong so far, and which patterns found nothing."""
        self._page.evaluate("0")  # what has happened is told by now
        missing = [
            f"not seen, though allowed: {one.pattern}"
            for one in self._allowed
            if not any(one.search(fault) for fault in self._faults)
        ]
        bad = [
            fault for fault in self._faults if not any(one.search(fault) for one in self._allowed)
        ]
        return [*bad, *missing]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self._faults.append(f"console {message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        found = urlsplit(request.url)
        if found.scheme in _LOADED and found.hostname not in _HERE:
            self._faults.append(f"asks another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= _BAD:
            self._faults.append(f"status {response.status}: {response.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != _LEFT:
            self._faults.append(f"failed: {request.url}: {request.failure}")
