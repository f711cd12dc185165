"""TCP ports of this machine: which are free, and who holds the others."""

import socket
from random import SystemRandom

import psutil

HOST = "127.0.0.1"
LEAST, HANDED_OUT = 10_000, 32_768
"""Ports are chosen from the first on, and below the first that Linux gives to a connection."""
_CHANCE = SystemRandom()  # two processes choose apart, whatever seeds others set


def free_ports(count: int) -> list[int]:
    """Return distinct ports that nothing listens on right now.

    None of those that systems hand out to connections: a port of these may be taken before its
    server, which is yet to start, listens on it.
    """
    chosen: set[int] = set()
    while len(chosen) < count:
        port = _CHANCE.randrange(LEAST, HANDED_OUT)
        if is_free(port):
            chosen.add(port)
    return list(chosen)


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # TIME_WAIT is no obstacle
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Say whether somebody accepts connections on this port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr.port == port
                and connection.pid
            ):
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass  # another user's process, or one that just ended
    return "another process"
