"""The shop stays open after the demo: a gateway with pages, and shoppers who go on meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

from features.events import Event
from streams.demo.show import Stage
from streams.gateway.serve import until_a_signal
from streams.producer import EventProducer
from streams.settings import Settings

Timed = Iterator[tuple[float, Event]]
"""Seconds from the beginning and the event, in order of time."""


class Crowd:
    """Shoppers who act at their pace, in the background, as long as the block lasts.

    Args:
        settings: Broker and topics.
        shoppers: Returns what they do from now on.
        failed: Told of what ends them early.
    """

    def __init__(
        self, settings: Settings, shoppers: Callable[[], Timed], failed: Callable[[str], None]
    ) -> None:
        self._settings = settings
        self._shoppers = shoppers
        self._failed = failed
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._act, name="shoppers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave.set()
        self._thread.join()

    def _act(self) -> None:
        try:
            with EventProducer(self._settings) as producer:
                begun_s = time.monotonic()
                for due_s, event in self._shoppers():
                    if self._leave.wait(max(0.0, begun_s + due_s - time.monotonic())):
                        return
                    producer.send(event)
        except Exception as error:  # noqa: BLE001  the shop stays open without them
            self._failed(f"the simulated shoppers have left: {error}")


def stay(stage: Stage, settings: Settings, port: int, shoppers: Callable[[], Timed]) -> None:
    """Serve the shop until a signal.

    Args:
        stage: Where the address is shown.
        settings: Of the workers.
        port: To listen on.
        shoppers: Returns what shoppers do meanwhile, from now on.

    Raises:
        OSError: the port is taken.
        GatewayEnded: the gateway failed.
    """
    own = settings.model_copy(
        update={"gateway_port": port, "gateway_shop": True, "gateway_dashboard": True}
    )

    def ready() -> None:
        address = f"http://{own.gateway_host}:{port}"
        stage.say(f"the shop is open at {address}/shop, until Ctrl-C")
        stage.say(f"how the installation is: {address}/dashboard")

    with Crowd(own, shoppers, stage.say):
        until_a_signal(own, ready)
