"""The processes of a local cluster: recognised, started under guard, stopped by a deadline."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import psutil

from streams.broker import guard
from streams.broker.config import JVM_OPTIONS, Node
from streams.broker.errors import BrokerError, tail

_FORMAT_WITHIN_S = 60.0
_LOOKS = 20
_BETWEEN_LOOKS_S = 0.01


def running(node: Node) -> psutil.Process | None:
    """Return the node's process; None when it is gone or its number is another program's now."""
    try:
        process = psutil.Process(int(node.pid_file.read_text(encoding="utf-8")))
        ours = str(node.properties) in _command(process)
        return process if ours and process.status() != psutil.STATUS_ZOMBIE else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def _command(process: psutil.Process) -> list[str]:
    """Return a process's arguments; they are hidden for a moment while Java replaces itself."""
    for _ in range(_LOOKS):
        if words := process.cmdline():
            return list(words)
        time.sleep(_BETWEEN_LOOKS_S)
    return []  # a thread of the system's kernel, never ours


def format_storage(
    nodes: Sequence[Node], java: Path, class_path: str, cluster_id: str, users: Mapping[str, str]
) -> None:
    """Prepare the data directories that are still empty.

    Raises:
        BrokerError: Kafka's storage tool refused.
    """
    credentials = [
        argument
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        for name, password in users.items()
        for argument in ("--add-scram", f"{mechanism}=[name={name},password={password}]")
    ]
    tools = [
        (
            node,
            subprocess.Popen(  # noqa: S603  our own argv, no shell
                [
                    *(str(java), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", class_path),
                    *("kafka.tools.StorageTool", "format", "-t", cluster_id),
                    *("-c", str(node.properties), *credentials),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ),
        )
        for node in nodes
        if not (node.data / "meta.properties").exists()
    ]
    try:
        for node, tool in tools:
            said, _ = tool.communicate(timeout=_FORMAT_WITHIN_S)
            if tool.returncode != 0:
                raise BrokerError(f"Kafka cannot format {node.data}:\n{said.strip()}")
    finally:
        for _, tool in tools:
            tool.kill()
            tool.communicate()


class Guard:
    """Our end of a `guard.py` process: the nodes it started die with us unless released."""

    def __init__(self, nodes: Sequence[Node], java: Path, class_path: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own script, no shell
            [sys.executable, "-I", guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        orders = [
            {
                "argv": [
                    *(str(java), *JVM_OPTIONS, "-cp", class_path),
                    f"-Dlog4j2.configurationFile={node.logging}",
                    *("kafka.Kafka", str(node.properties)),
                ],
                "output": str(node.console),
                "pid_file": str(node.pid_file),
            }
            for node in nodes
        ]
        self._orders = cast("IO[str]", self._process.stdin)  # PIPE, so it is there
        answers = cast("IO[str]", self._process.stdout)
        try:
            self._say(json.dumps(orders))
            if not answers.readline():
                raise BrokerError(f"cannot start Kafka by {java}: the guard ended early")
        except BaseException:
            self.close()
            raise

    def release(self) -> None:
        """Let the nodes live on without us."""
        self._say(guard.RELEASE)
        self.close()

    def close(self) -> None:
        """End the guard, and with it the nodes that it still holds."""
        self._process.communicate()

    def _say(self, line: str) -> None:
        self._orders.write(line + "\n")
        self._orders.flush()


def stop(processes: Sequence[psutil.Process], deadline_s: float) -> None:
    """Ask the processes to end; kill those that have not by the deadline."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, stubborn = psutil.wait_procs(processes, timeout=deadline_s)
    for process in stubborn:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(stubborn, timeout=deadline_s)


def last_words(node: Node) -> str:
    """Return the end of a node's logs, for an error message."""
    told = [f"--- {path} ---\n{text}" for path in (node.log, node.console) if (text := tail(path))]
    return "\n".join(told) or f"(no log in {node.directory})"
