"""How a worker is, over HTTP: /healthz, /readyz and /metrics.

Not healthy means that a restart may help: the event loop hangs, or a partition has records and
makes no progress. Not ready means that it does not answer events yet, or not for the moment.
"""

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

from streams.engine import Watch

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_TEXT = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]


class Health:
    """Answers from any thread; each answer is a list of what is wrong, empty for "all is well".

    Args:
        watch: The app's watchdog.
        silent_s: How long its event loop may hang.
        indexed: Whether the item index has read what its topic held at the start.
    """

    def __init__(self, watch: Watch, silent_s: float, indexed: Callable[[], bool]) -> None:
        self._watch = watch
        self._silent_s = silent_s
        self._indexed = indexed

    def illnesses(self) -> list[str]:
        """Say why a restart may help."""
        found = [
            f"stalled: {tp.topic}[{tp.partition}] has records but no progress for {still_s:.0f} s"
            for tp, still_s in self._watch.stalled.items()
        ]
        if self._watch.silent_s > self._silent_s:
            found.insert(0, f"hanging: nothing ran for {self._watch.silent_s:.0f} s")
        return found

    def obstacles(self) -> list[str]:
        """Say what stands between an event and its answer."""
        found = []
        if not self._watch.ready:
            progress = self._watch.progress
            left = f", {progress.remaining} offsets to go" if progress.recovering else ""
            found.append(f"tables: not recovered or partitions not assigned{left}")
        if not self._indexed():
            found.append("index: items not read yet")
        return found


def application(registry: CollectorRegistry, health: Health) -> App:
    """Return the WSGI application."""
    metrics: App = make_wsgi_app(registry)
    checks = {"/healthz": health.illnesses, "/readyz": health.obstacles}

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] != "GET":
            return _text(start_response, "405 Method Not Allowed", ["only GET"])
        if path == "/metrics":
            return metrics(environ, start_response)
        if path in checks:
            wrong = checks[path]()
            status = "503 Service Unavailable" if wrong else "200 OK"
            return _text(start_response, status, wrong or ["ok"])
        return _text(start_response, "404 Not Found", ["try /healthz, /readyz or /metrics"])

    return answer


@contextmanager
def serving(host: str, port: int, registry: CollectorRegistry, health: Health) -> Iterator[None]:
    """Serve on host:port meanwhile; nothing where the port is 0.

    Raises:
        OSError: the address is taken or not ours.
    """
    if not port:
        yield
        return
    try:
        kind = _Server6 if ":" in host else _Server
        server = make_server(host, port, application(registry, health), kind, _Quiet)
    except OSError as error:
        raise OSError(
            error.errno,
            f"health and metrics cannot be served at {host}:{port} ({error.strerror}): set "
            "HEADRACE_METRICS_HOST and HEADRACE_METRICS_PORT to a free address",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _text(start: Callable[..., Any], status: str, lines: Sequence[str]) -> list[bytes]:
    body = "".join(f"{line}\n" for line in lines).encode()
    start(status, [*_TEXT, ("Content-Length", str(len(body)))])
    return [body]


class _Server(ThreadingMixIn, WSGIServer):
    """One thread per request, so that one slow reader delays nobody."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a reader that goes away, or never says what it wants."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Logs no request, and gives none more than a moment."""

    timeout = 10

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
