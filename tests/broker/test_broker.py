"""The local Kafka: found again, kept or wiped, and never left behind."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from streams.broker import BrokerError, Kafka, config, java
from streams.broker.ports import free_ports
from streams.commands.broker import app
from streams.settings import Settings
from tests.support import eventually


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "kafka"
    yield place
    Kafka(place).stop(deadline_s=0.5)


def processes_of(directory: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter()
        if any(str(directory) in word for word in _command(process))
        and process.status() != psutil.STATUS_ZOMBIE
    ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return f"{result.exit_code}: {result.stdout.strip()}"


def test_commands_start_find_keep_and_wipe_a_broker(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # no Java on this machine: the bundled one must do
    monkeypatch.delenv("JAVA_HOME", raising=False)
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    settings = Settings(broker=address, partitions=1)
    from streams import admin

    assert run("status", "--dir", directory).startswith("1: there is no Kafka in")
    assert run("stop", "--dir", directory) == "0: Kafka was not running"

    start = ("start", "--dir", directory, "--port", str(port))
    assert run(*start) == f"0: Kafka is running at {address}"
    (process,) = processes_of(directory)
    assert process.parent().pid != os.getpid()  # nobody's child: it outlives its starter
    assert run(*start) == f"0: Kafka is already running at {address}"
    assert run("status", "--dir", directory).startswith(f"0: node 1  {address}  running, pid")
    admin.create(settings)
    with pytest.raises(BrokerError, match=f"runs at {address}, not on port 1: stop it first"):
        run("start", "--dir", directory, "--port", "1")
    with pytest.raises(BrokerError, match="has 1 node\\(s\\), not 3"):
        run("start", "--dir", directory, "--nodes", "3")

    assert run("stop", "--dir", directory) == "0: Kafka has stopped"
    assert run("status", "--dir", directory).startswith(f"1: node 1  {address}  stopped")
    assert processes_of(directory) == []
    assert run("start", "--dir", directory) == f"0: Kafka is running at {address}"
    admin.check(settings)  # the topics are still there

    assert run(*start, "--clean") == f"0: Kafka is running at {address}"
    with pytest.raises(admin.WrongTopics, match="missing"):
        admin.check(settings)


def test_three_nodes_replicate_and_a_lost_one_comes_back(directory: Path) -> None:
    from streams import admin

    kafka = Kafka(directory, nodes=3)
    with kafka as address:
        settings = Settings(broker=address, partitions=3, replication=3)
        admin.create(settings)
        second = kafka.status()[1]
        assert second.pid is not None
        os.kill(second.pid, signal.SIGKILL)
        eventually(lambda: kafka.status()[1].pid is None, within_s=10)
        admin.check(settings)
        assert kafka.start() == address
        assert all(node.pid for node in kafka.status())
        assert len({node.pid for node in kafka.status()} - {second.pid}) == 3
    assert processes_of(directory) == []


@pytest.mark.parametrize(
    ("moment", "blow"),
    [
        ("starting", signal.SIGKILL),
        ("starting", signal.SIGINT),
        ("serving", signal.SIGKILL),
        ("serving", signal.SIGTERM),
    ],
)
def test_however_a_program_ends_its_broker_ends_too(
    directory: Path, moment: str, blow: signal.Signals
) -> None:
    program = f"""
        import signal, sys, time
        from pathlib import Path
        from streams.broker import Kafka
        # A shell starts what runs in its background deaf to Ctrl-C, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Kafka(Path({str(directory)!r})):
            print("serving", flush=True)
            time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as owner:
        if moment == "serving":
            assert owner.stdout
            assert owner.stdout.readline() == b"serving\n"
        else:
            eventually((directory / "node-1" / "kafka.pid").exists, within_s=60)
        assert processes_of(directory)
        owner.send_signal(blow)
        owner.wait(timeout=20)
    eventually(lambda: not processes_of(directory), within_s=20)


def test_a_taken_port_is_refused_with_its_holder(directory: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        with pytest.raises(BrokerError, match=rf"port {port} is in use by pid {os.getpid()} \("):
            Kafka(directory, port=port).start()
    assert processes_of(directory) == []


def test_a_broker_that_cannot_start_shows_why_and_is_gone(directory: Path) -> None:
    (directory / "node-1" / "data").mkdir(parents=True)
    (directory / "node-1" / "data" / "meta.properties").write_text("version=9\n")
    with pytest.raises(BrokerError) as refused:
        Kafka(directory).start()
    assert "node 1 ended while it started" in str(refused.value)
    assert "No readable meta.properties files found" in str(refused.value)
    assert processes_of(directory) == []


def test_a_number_left_by_a_dead_broker_is_nobodys_process(directory: Path) -> None:
    node = config.Node(number=1, directory=directory / "node-1", port=1, controller_port=2)
    config.write(node, [node], config.Security())
    (directory / "cluster.json").write_text(
        '{"cluster_id": "x", "nodes": [{"number": 1, "port": 1, "controller_port": 2, '
        '"client_port": null}]}'
    )
    for number in (str(os.getpid()), "999999999", "", "x"):
        node.pid_file.write_text(number)
        assert Kafka(directory).status()[0].pid is None
        assert Kafka(directory).stop() is False


def test_only_one_or_three_nodes() -> None:
    with pytest.raises(ValueError, match="nodes is 2"):
        Kafka(Path("unused"), nodes=2)
    assert run("start", "--nodes", "2").startswith("2: ")


@pytest.mark.parametrize(
    ("said", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 1),
        ('openjdk version "21" 2023-09-19', 21),
        ("Unable to locate a Java Runtime.", None),
    ],
)
def test_the_version_of_a_java_is_read(tmp_path: Path, said: str, major: int | None) -> None:
    fake = tmp_path / "bin" / "java"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    fake.chmod(0o755)
    assert java.version_of(fake) == major
    chosen = java.find_java({"JAVA_HOME": str(tmp_path), "PATH": ""})
    assert (chosen == fake) == (major is not None and major >= 17)
    assert (java.version_of(chosen) or 0) >= 17 or chosen == fake


def test_a_java_that_is_not_there_has_no_version(tmp_path: Path) -> None:
    assert java.version_of(tmp_path / "java") is None
