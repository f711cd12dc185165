"""What an operator may ask of a running worker on its own machine: a socket in its data directory.

Only who may write there (the worker's own user) can connect: a backup writes files as the worker.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import faust
from mode import Service
from msgspec import DecodeError, Struct, json

from streams.clock import now_ms
from streams.engine import snapshots
from streams.engine.snapshots import Manifest

SOCKET = "control.sock"
SCRATCH = "backup.tmp"
READY_POLL_S = 0.5

log = logging.getLogger(__name__)


class Request(Struct, frozen=True, forbid_unknown_fields=True):
    """A line to the worker.

    Attributes:
        backup: Copy the tables to this absolute path.
    """

    backup: str


class Reply(Struct, frozen=True):
    """A line from the worker: what it did, or why it did not."""

    done: Manifest | None = None
    error: str | None = None


class ControlFailed(RuntimeError):
    """The worker did not do what it was asked; the message says why."""


_REQUESTS: Final = json.Decoder(Request)
_REPLIES: Final = json.Decoder(Reply)


class Control(Service):  # type: ignore[misc]  # mode ships no types
    """Listens in the data directory of an app while its tables are whole.

    Once they are, their locks say that nobody else lives there, so a socket that is left over may
    be removed.
    """

    mundane_level = "debug"  # its starts and stops are no news

    def __init__(self, app: faust.App, data_dir: Path) -> None:
        super().__init__()
        self._app = app
        self._data_dir = data_dir
        self._busy = asyncio.Lock()

    @Service.task  # type: ignore[untyped-decorator]  # mode ships no types
    async def _listen(self) -> None:
        while not self._app.tables.actives_ready:
            await self.sleep(READY_POLL_S)
            if self.should_stop:
                return
        (self._data_dir / SOCKET).unlink(missing_ok=True)
        with _address(self._data_dir) as address, socket.socket(socket.AF_UNIX) as listener:
            mask = os.umask(0o177)
            try:
                listener.bind(address)
            finally:
                os.umask(mask)
            server = await asyncio.start_unix_server(self._serve, sock=listener)
            try:
                await self.wait_until_stopped()
            finally:
                server.close()
                (self._data_dir / SOCKET).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(json.encode(await self._answer(await reader.readline())) + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError) as error:  # gone, or a line without an end
            log.warning("control: %r", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Reply:
        try:
            asked = Path(_REQUESTS.decode(line).backup)
        except DecodeError as error:
            return Reply(error=f"not understood: {error}")
        if self._busy.locked():
            return Reply(error="another backup is being made: wait for its end")
        async with self._busy:
            stores = [table.data for table in self._app.tables.values()]
            try:
                made = await snapshots.take(stores, asked, self._data_dir / SCRATCH, now_ms())
            except OSError as error:
                log.error("backup to %s failed: %s", asked, error)  # noqa: TRY400  no bug of ours
                return Reply(error=str(error))
        log.info("backup to %s: %d partitions", asked, len(made.parts))
        return Reply(done=made)


def ask_for_backup(data_dir: Path, folder: Path) -> Manifest:
    """Let the worker of a data directory back itself up to a folder, and wait until it has.

    Raises:
        ControlFailed: no worker answers there, or it could not.
    """
    request = Request(str(folder.absolute()))
    with _address(data_dir) as address, socket.socket(socket.AF_UNIX) as caller:
        try:
            caller.connect(address)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            raise ControlFailed(_nobody(data_dir)) from error
        caller.sendall(json.encode(request) + b"\n")
        with caller.makefile("rb") as lines:
            line = lines.readline()
    if not line.endswith(b"\n"):
        raise ControlFailed("the worker ended before the backup was made")
    reply = _REPLIES.decode(line)
    if reply.done is None:
        raise ControlFailed(f"no backup was made: {reply.error}")
    return reply.done


def answers(data_dir: Path) -> bool:
    """Say whether a worker runs on a data directory, and is ready."""
    if not data_dir.is_dir():
        return False
    with _address(data_dir) as address, socket.socket(socket.AF_UNIX) as caller:
        return caller.connect_ex(address) == 0


def _nobody(data_dir: Path) -> str:
    return (
        f"no worker answers in {data_dir}: it must run, have recovered (see /readyz), and have "
        "this HEADRACE_DATA_DIR on this machine"
    )


@contextmanager
def _address(data_dir: Path) -> Iterator[str]:
    """Give the path of the socket in a form that is short: the system takes some 100 bytes.

    Raises:
        ControlFailed: the directory is not there.
    """
    try:
        directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ControlFailed(_nobody(data_dir)) from error
    try:
        yield f"/proc/self/fd/{directory}/{SOCKET}"
    finally:
        os.close(directory)
