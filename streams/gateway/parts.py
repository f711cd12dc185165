"""What the routes of a gateway share, and how it is kept going."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka.errors import KafkaError

from streams.clock import now_ms
from streams.gateway.answers import Answers
from streams.gateway.keys import Keyring
from streams.gateway.lookups import Lookups
from streams.gateway.meter import GatewayMeter
from streams.gateway.outbox import Outbox
from streams.gateway.popular import Popular
from streams.gateway.problems import Problem
from streams.gateway.shelf import ItemShelf
from streams.gateway.stored import StoredLists
from streams.gateway.waiting import Waiting
from streams.index import IndexFeed, index_of, levels_of
from streams.lists import Recommendation
from streams.settings import Settings

log = logging.getLogger(__name__)

PULSE_EVERY_S = 1.0
SILENT_S = 10.0
"""A broker that has not answered for so long does not answer."""


class Parts:
    """The parts. Made inside a running event loop.

    Args:
        settings: Of the gateway.

    Attributes:
        beside: What else is kept going until the gateway ends, once it answers.

    Raises:
        BadSetting: it would be open to others without a key.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keyring = Keyring(settings)
        self.meter = GatewayMeter()
        self.answers = Answers()
        self.asked: set[asyncio.Task[None]] = set()
        self.outbox = Outbox(settings)
        self.waiting = Waiting(max(1, settings.gateway_concurrency // 2))
        self.lists = StoredLists(settings, now_ms, self._heard)
        self.index = index_of(settings)
        self.popular = Popular(self.index, now_ms)
        self.shelf = ItemShelf(settings.gateway_dir / "items", self.index)
        self.lookups = Lookups()
        self.beside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._items = IndexFeed(settings, self.index, levels_of(settings), self.shelf.take)
        self._read = False
        self._answered_s = -SILENT_S

    async def run(self, ready: Callable[[], None]) -> None:
        """Read what there is, tell that it is `ready`, then go on until cancelled.

        Raises:
            KafkaError: no broker answers at the start.
            LookupError: a topic is missing.
            StoreError: the directory of the copy cannot be used.
        """
        try:
            await self.outbox.start()
            self.shelf.open()
            await self._items.start()
            await self.lists.start()
            self._answered_s = time.monotonic()
            self._read = True
            log.info("gateway ready")
            ready()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._items.follow())
                tasks.create_task(self.lists.follow())
                tasks.create_task(self._pulse())
                for task in self.beside:
                    tasks.create_task(task())
        finally:
            self._read = False
            await self.lists.stop()
            await self._items.stop()
            self.shelf.close()
            await self.outbox.stop()

    def obstacles(self) -> list[str]:
        """Say why requests cannot be answered now; nothing where they can."""
        if not self._read:
            return ["starting: lists and items are not read yet"]
        silent_s = time.monotonic() - self._answered_s
        if silent_s > SILENT_S:
            return [f"broker: {self.settings.broker} has not answered for {silent_s:.0f} s"]
        return []

    def check_read(self) -> None:
        """Raise `Problem` while there is no copy to answer from."""
        if not self._read:
            raise Problem(503, self.obstacles()[0], headers={"Retry-After": "1"})

    def _heard(self, made: Recommendation) -> None:
        self.answers.take(made)
        self.waiting.take(made)

    async def _pulse(self) -> None:
        """Ask Kafka for a sign of life, again and again."""
        while True:
            try:
                async with asyncio.timeout(SILENT_S / 2):
                    self.meter.lag.set(await self.lists.behind())
                self._answered_s = time.monotonic()
            except (KafkaError, TimeoutError) as error:
                log.warning("no answer from %s: %s", self.settings.broker, error)
            await asyncio.sleep(PULSE_EVERY_S)
