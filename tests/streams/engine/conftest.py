"""Fixture: an event loop of the test's own, since Faust makes one wherever it finds none."""

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    mine = asyncio.new_event_loop()
    asyncio.set_event_loop(mine)
    yield mine
    mine.close()
    asyncio.set_event_loop(None)
