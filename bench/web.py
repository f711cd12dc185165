"""An HTTP client that costs little: requests at a steady rate, or as fast as answers come."""

import asyncio
import time
from collections.abc import Iterator
from typing import NamedTuple, Self, cast

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_MARK = b'"source":"popular"'
"""In lists that no worker has ranked."""


class Answers(NamedTuple):
    """What a run brought.

    Attributes:
        took_ms: Latencies, ascending.
        failed: How many answers were no success.
        complaint: What the first of them said.
        marked: How many were lists by popularity.
        seconds: How long it took.
    """

    took_ms: list[float]
    failed: int
    complaint: str
    marked: int
    seconds: float

    def at(self, share: float) -> float:
        """Return the latency that this share of the answers kept, ms."""
        return round(self.took_ms[min(len(self.took_ms) - 1, int(len(self.took_ms) * share))], 2)

    @property
    def rate(self) -> float:
        """Return good answers a second."""
        return (len(self.took_ms) - self.failed) / self.seconds


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._buffer = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0 or self._answer is None:
            return
        head = self._buffer[:end]
        at = head.lower().find(_LENGTH)
        length = int(head[at + len(_LENGTH) :].partition(b"\r\n")[0]) if at >= 0 else 0
        if len(self._buffer) < end + len(_END) + length:
            return
        answer, self._answer = self._answer, None
        body, self._buffer = self._buffer[end + len(_END) :], b""
        answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(error or ConnectionError("the gateway hung up"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.close()


class Web:
    """Connections to one server. Async context manager.

    Args:
        host: Its address.
        port: Its port.
        connections: How many are kept open; a request waits for a free one.
    """

    def __init__(self, host: str, port: int, connections: int) -> None:
        self._host = host
        self._port = port
        self._connections = connections
        self._all: list[_Connection] = []
        self._free: asyncio.Queue[_Connection]

    async def __aenter__(self) -> Self:
        self._free = asyncio.Queue()
        loop = asyncio.get_running_loop()
        for _ in range(self._connections):
            _, made = await loop.create_connection(_Connection, self._host, self._port)
            self._all.append(made)
            self._free.put_nowait(made)
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._all:
            each.close()

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Return the bytes of a request."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body of an answer."""
        connection = await self._free.get()
        try:
            return await connection.ask(request)
        finally:
            self._free.put_nowait(connection)

    async def at_rate(self, requests: Iterator[bytes], rate: float, seconds: float) -> Answers:
        """Send evenly, whether or not answers come; a latency counts from when it was due."""
        run = _Run(self)
        begun = time.perf_counter()
        tasks = []
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            ahead_s = due - time.perf_counter()
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
            tasks.append(asyncio.create_task(run.one(next(requests), due)))
        await asyncio.gather(*tasks)
        return run.answers(time.perf_counter() - begun)

    async def flat_out(self, requests: Iterator[bytes], seconds: float) -> Answers:
        """Send on each connection as soon as it is free."""
        run = _Run(self)
        begun = time.perf_counter()

        async def one() -> None:
            while (now := time.perf_counter()) < begun + seconds:
                await run.one(next(requests), now)

        await asyncio.gather(*(one() for _ in self._all))
        return run.answers(time.perf_counter() - begun)


class _Run:
    def __init__(self, web: Web) -> None:
        self._web = web
        self._took_ms: list[float] = []
        self._failed = 0
        self._complaint = ""
        self._marked = 0

    async def one(self, request: bytes, due: float) -> None:
        status, body = await self._web.ask(request)
        self._took_ms.append((time.perf_counter() - due) * 1000)
        if not 200 <= status < 300:
            self._failed += 1
            self._complaint = self._complaint or body.decode()
        self._marked += _MARK in body

    def answers(self, seconds: float) -> Answers:
        return Answers(sorted(self._took_ms), self._failed, self._complaint, self._marked, seconds)
