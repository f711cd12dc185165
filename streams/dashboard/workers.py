"""Looks at every worker's metrics, wherever they are served."""

import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from streams.dashboard.readings import BadReading, Reading, read

MOST = 256
"""Workers that are looked at; of more, those whose addresses come first."""
ANSWER_WITHIN_S = 2.0
_ANSWER_BYTES = 1_000_000
_AT_ONCE = 16
_DONE = 200

log = logging.getLogger(__name__)

Address = tuple[str, int]


class Workers:
    """Asks workers, several at once, each for a moment.

    Args:
        given: `HOST:PORT` of each, as in the setting; a name that leads to several addresses, as
            a headless service's does, stands for all of them.
        port: Where nothing is given, at which port every member of the group serves metrics; 0:
            nobody knows.
    """

    def __init__(self, given: Sequence[str], port: int) -> None:
        self._given = given
        self._port = port
        self._pool = ThreadPoolExecutor(_AT_ONCE, "dashboard-look")

    @property
    def known(self) -> bool:
        """Whether there is any way to find workers."""
        return bool(self._given or self._port)

    def look(self, hosts: Iterable[str]) -> dict[str, Reading | str]:
        """Return what each worker says, or why it says nothing, by address.

        Args:
            hosts: Of the group's members, as Kafka sees them.
        """
        addresses = self._addresses(hosts)
        answers = self._pool.map(_ask, addresses)
        return {
            f"{_bracketed(host)}:{port}": _read(answer)
            for (host, port), answer in zip(addresses, answers, strict=True)
        }

    def close(self) -> None:
        """End; what is being asked is not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _addresses(self, hosts: Iterable[str]) -> list[Address]:
        if not self._given:
            return [(host, self._port) for host in sorted(set(hosts))][:MOST] if self._port else []
        found: list[Address] = []
        for one in self._given:
            parts = urlsplit(f"//{one}")
            host, port = parts.hostname or "", parts.port or self._port
            try:
                infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError:
                found.append((host, port))  # asked by its name, it says what is wrong
            else:
                found += sorted({(str(info[4][0]), port) for info in infos})
        return list(dict.fromkeys(found))[:MOST]


def members_of(names: Mapping[str, str], members: Mapping[str, str], port: int) -> dict[str, str]:
    """Return the address at which each member of the group answers, of those that can be told.

    Args:
        names: What the worker at each address calls itself, "" for nothing.
        members: Member -> host.
        port: At which members serve metrics where they have no name; 0: unknown.

    A worker that has a name says it; one that has none is told by its host, if that has only one.
    """
    named = {name: address for address, name in names.items() if name}
    hosts = list(members.values())
    told = {}
    for member, host in members.items():
        by_host = f"{_bracketed(host)}:{port}"
        if member in named:
            told[member] = named[member]
        elif by_host in names and hosts.count(host) == 1:
            told[member] = by_host
    return told


def _read(answer: bytes | str) -> Reading | str:
    try:
        return answer if isinstance(answer, str) else read(answer.decode())
    except (BadReading, UnicodeDecodeError) as error:
        return str(error)


def _ask(address: Address) -> bytes | str:
    """Return a worker's metrics, or a few words on why there are none."""
    connection = HTTPConnection(*address, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        body = answer.read(_ANSWER_BYTES)
    except (OSError, HTTPException) as error:
        return f"does not answer: {getattr(error, 'strerror', None) or error or 'too slow'}"
    else:
        return body if answer.status == _DONE else f"answers {answer.status}"
    finally:
        connection.close()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
