"""Run a gateway: check, read what there is, answer until a signal, and leave cleanly."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
import uvloop

from streams import admin, garbage
from streams.gateway.app import build
from streams.gateway.keys import Keyring
from streams.gateway.parts import Parts
from streams.log_lines import say_on_stderr
from streams.settings import PREFIX, Settings

LEFT_WITHIN_S = 10
"""How long requests at work, and then the parts, may take once the gateway was told to leave."""
IDLE_S = 75
"""How long a connection without a request is kept: longer than load balancers keep theirs, mostly
60 s. One that is closed under a request on its way is a bad gateway to whoever asked."""
_WAITING = 2048  # connections that are not accepted yet

log = logging.getLogger(__name__)


class GatewayEnded(RuntimeError):
    """The gateway could not go on; the message says why."""


def _nothing() -> None:
    """Nobody is to be told."""


def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        BadSetting: it would be open to others without a key.
        BrokerUnreachable: nobody answers at `settings.broker`.
        WrongTopics: the topics are missing or laid out differently.
        OSError: the address is taken or not ours.
        GatewayEnded: it failed while it ran.
    """
    say_on_stderr(settings)
    garbage.calm()
    until_a_signal(settings)


def until_a_signal(settings: Settings, ready: Callable[[], None] = _nothing) -> None:
    """Run as `run` inside a process that has more to do: logs and memory are its own business.

    Args:
        settings: Of the gateway.
        ready: Called once it answers.
    """
    Keyring(settings)
    listening = listen(settings)
    with listening:
        admin.check(settings)
        uvloop.run(_until_a_signal(settings, listening, ready))


def listen(settings: Settings) -> socket.socket:
    """Return the socket that the settings name, listening.

    Raises:
        OSError: the address is taken or not ours.
    """
    host, port = settings.gateway_host, settings.gateway_port
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=_WAITING,
        )
    except OSError as error:
        raise OSError(
            error.errno,
            f"cannot listen at {host}:{port} ({error.strerror}): set {PREFIX}GATEWAY_HOST and "
            f"{PREFIX}GATEWAY_PORT to a free address",
        ) from error


async def _until_a_signal(
    settings: Settings, listening: socket.socket, ready: Callable[[], None]
) -> None:
    leave = asyncio.Event()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_, leave.set)
    await serve(settings, listening, leave, ready)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again before the copy is closed."""
        yield


async def serve(
    settings: Settings,
    listening: socket.socket,
    leave: asyncio.Event,
    ready: Callable[[], None] = _nothing,
) -> None:
    """Answer on a socket until `leave` is set; tell once it is `ready`.

    Raises:
        GatewayEnded: what keeps the copies up has failed.
    """
    parts = Parts(settings)
    server = _Server(
        uvicorn.Config(
            build(parts),
            http="httptools",
            loop="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=LEFT_WITHIN_S,
        )
    )
    log.info("gateway broker=%s address=%s", settings.broker, listening.getsockname()[:2])
    serving = asyncio.create_task(server.serve([listening]))
    keeping = asyncio.create_task(parts.run(ready))
    leaving = asyncio.create_task(leave.wait())
    await asyncio.wait({serving, keeping, leaving}, return_when=asyncio.FIRST_COMPLETED)
    failed = keeping.exception() if keeping.done() else None
    server.should_exit = True
    await serving
    for task in (keeping, leaving):
        task.cancel()
    # What is on its way to a Kafka that is gone has no end.
    await asyncio.wait({keeping, leaving}, timeout=LEFT_WITHIN_S)
    if failed is not None:
        raise GatewayEnded(f"the gateway ended: {_first(failed)}") from failed


def _first(error: BaseException) -> BaseException:
    """Return what lies at the heart of an error that several tasks share."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
