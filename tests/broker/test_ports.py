"""Ports for servers that are yet to start."""

import socket

from streams.broker.ports import HANDED_OUT, HOST, LEAST, free_ports, is_free


def test_free_ports_are_distinct_and_never_those_of_connections() -> None:
    found = free_ports(50)
    assert len(set(found)) == 50
    assert all(LEAST <= port < HANDED_OUT for port in found)


def test_a_port_that_is_listened_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind((HOST, free_ports(1)[0]))
        server.listen()
        assert not is_free(server.getsockname()[1])
