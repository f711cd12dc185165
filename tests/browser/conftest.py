"""A Chromium for the tests of the pages, and a page of its own for each of them.

Playwright's loop runs in the tests' thread as long as the browser is there: what starts a loop of
its own, as `streams.bulk.publish` does, must run beside (`tests.browser.beside`).
"""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import chromium
from tests.browser.watch import Watch

TIMEOUT_MS = 10_000
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Yield one Chromium for all tests of this package; no other host is found by it."""
    found = chromium.find()
    if found is None:
        pytest.fail(f"no Chromium: {chromium.CURE}")
    arguments = [NO_OTHER_HOST]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # which it has for others than root alone
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=arguments)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Yield a browser without past: no cookie, nothing stored, nothing cached."""
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.set_default_timeout(TIMEOUT_MS)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, watch_of: dict[Page, Watch]) -> Page:
    """Return a page; what goes wrong on it fails the test, unless `watch` was told to allow it."""
    made = context.new_page()
    watch_of[made] = Watch(made)
    return made


@pytest.fixture
def watch_of() -> Iterator[dict[Page, Watch]]:
    """Yield the watches of a test's pages."""
    watches: dict[Page, Watch] = {}
    yield watches
    faults = [fault for watch in watches.values() for fault in watch.faults()]
    assert not faults, "\n".join(faults)


@pytest.fixture
def watch(page: Page, watch_of: dict[Page, Watch]) -> Watch:
    """Return what watches the test's page."""
    return watch_of[page]
