"""A gateway in this process, on a port of its own, over a real Kafka."""

import asyncio
import threading
from types import TracebackType
from typing import Any, Self

import requests

from streams.broker.ports import free_ports
from streams.gateway.serve import listen, serve
from streams.settings import Settings
from tests.support import eventually

READY_WITHIN_S = 60.0


class Client(requests.Session):
    """Asks one server, by paths."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url
        self.trust_env = False  # no proxy of this machine's

    def request(self, method: Any, url: Any, **given: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, self.base_url + url, timeout=20, **given)


class RunningGateway:
    """Serves in a thread until the block ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings.model_copy(update={"gateway_port": free_ports(1)[0]})
        self.client = Client(f"http://127.0.0.1:{self.settings.gateway_port}")
        self._loop = asyncio.new_event_loop()
        self._failed: list[BaseException] = []

    def __enter__(self) -> Self:
        self._listening = listen(self.settings)
        self._thread = threading.Thread(target=self._run, name="gateway")
        self._thread.start()
        try:
            eventually(self.ready, READY_WITHIN_S)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        assert not self._failed

    def ready(self) -> bool:
        assert not self._failed
        return self.client.get("/readyz").status_code == 200

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(30)
        self.client.close()
        self._listening.close()

    def _run(self) -> None:
        self._leave = asyncio.Event()
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(serve(self.settings, self._listening, self._leave))
        except BaseException as error:  # noqa: BLE001  the test says it
            self._failed.append(error)

    def post(self, events: Any) -> requests.Response:
        return self.client.post("/v1/events", json=events)

    def shown(self, user: str, **query: Any) -> dict[str, Any]:
        answer = self.client.get(f"/v1/users/{user}/recommendations", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found
