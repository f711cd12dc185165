"""The class `Kafka`: a local cluster in a directory, started, found again and stopped."""

import fcntl
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from streams.broker import config, process
from streams.broker.config import Node, Security
from streams.broker.errors import BrokerError
from streams.broker.jars import class_path
from streams.broker.java import find_java
from streams.broker.ports import HOST, answers, free_ports, holder, is_free

READY_WITHIN_S = 60.0
STOPPED_WITHIN_S = 10.0
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What is known of one node from outside."""

    number: int
    address: str
    pid: int | None  # None = not running
    log: Path


class Kafka:
    """A local Apache Kafka (KRaft) of one or three nodes that lives in a directory.

    As a context manager it dies with the program, however that ends:

        with Kafka(Path("scratch")) as address:
            ...  # "127.0.0.1:40123"

    `start(detach=True)` leaves it running for other programs, which find it by its directory.

    Args:
        directory: Holds data, configuration, logs and process ids; made where it is missing.
        nodes: How many brokers, 1 or 3; None keeps what the directory has, at first 1.
        port: The first node's port, the others follow it; None keeps the last, at first free ones.
        security: Opens a second listener, `secure_address`, that asks for passwords, talks TLS or
            both; the first stays plain.
    """

    def __init__(
        self,
        directory: Path,
        nodes: int | None = None,
        port: int | None = None,
        security: Security | None = None,
    ) -> None:
        if nodes not in (None, 1, 3):
            raise ValueError(f"nodes is {nodes}, but a local Kafka has 1 or 3")
        self._directory = directory.resolve()
        self._count = nodes
        self._port = port
        self._security = security or Security()
        self._guards: list[process.Guard] = []

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """The bootstrap list, "host:port,…"; empty before the first start."""
        return ",".join(f"{HOST}:{node.port}" for node in self._saved())

    @property
    def secure_address(self) -> str:
        """The bootstrap list of the listener that `security` asks for; empty without."""
        return ",".join(f"{HOST}:{node.client_port}" for node in self._saved() if node.client_port)

    def start(self, *, detach: bool = False) -> str:
        """Start the nodes that do not run yet, wait until they serve, and return the address.

        Raises:
            BrokerError: the port is taken, the directory was made for another number of nodes,
                or Kafka does not come up; nothing that was started is left running.
        """
        with self._locked():
            nodes = self._layout()
            missing = [node for node in nodes if process.running(node) is None]
            if missing:
                self._launch(nodes, missing, detach=detach)
        return self.address

    def stop(self, deadline_s: float = STOPPED_WITHIN_S) -> bool:
        """Stop every node, by force after the deadline; say whether there was one to stop."""
        with self._locked():
            nodes = self._saved()
            found = [at_work for node in nodes if (at_work := process.running(node))]
            process.stop(found, deadline_s)
            for node in nodes:
                node.pid_file.unlink(missing_ok=True)
            while self._guards:
                self._guards.pop().close()
        return bool(found)

    def status(self) -> tuple[NodeStatus, ...]:
        """Return what each node does; nothing when no cluster was ever started here."""
        return tuple(
            NodeStatus(
                number=node.number,
                address=f"{HOST}:{node.port}",
                pid=at_work.pid if (at_work := process.running(node)) else None,
                log=node.log,
            )
            for node in self._saved()
        )

    def wipe(self) -> None:
        """Delete the cluster with its data.

        Raises:
            BrokerError: it is running.
        """
        if any(node.pid for node in self.status()):
            raise BrokerError(f"the Kafka in {self._directory} is running: stop it first")
        with self._locked():
            for node in self._saved():
                shutil.rmtree(node.directory, ignore_errors=True)
            self._cluster_file.unlink(missing_ok=True)

    @property
    def _cluster_file(self) -> Path:
        return self._directory / "cluster.json"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _saved(self) -> list[Node]:
        if not self._cluster_file.exists():
            return []
        saved = json.loads(self._cluster_file.read_text(encoding="utf-8"))
        return [
            Node(directory=self._directory / f"node-{node['number']}", **node)
            for node in saved["nodes"]
        ]

    def _layout(self) -> list[Node]:
        """Decide on nodes and ports: the saved ones while they run, else those asked for."""
        saved = self._saved()
        if saved and self._count not in (None, len(saved)):
            raise BrokerError(
                f"the Kafka in {self._directory} has {len(saved)} node(s), not {self._count}: "
                "use another directory, or delete this one's data (--clean)"
            )
        if any(process.running(node) for node in saved):
            if self._port not in (None, saved[0].port):
                raise BrokerError(
                    f"the Kafka in {self._directory} runs at {self.address}, not on port "
                    f"{self._port}: stop it first"
                )
            return saved
        count = len(saved) or self._count or 1
        ports = self._ports(saved, count)
        spare = free_ports(2 * count)
        return [
            Node(
                number=number,
                directory=self._directory / f"node-{number}",
                port=port,
                controller_port=spare.pop(),
                client_port=spare.pop() if self._security.wanted else None,
            )
            for number, port in enumerate(ports, start=1)
        ]

    def _ports(self, saved: list[Node], count: int) -> list[int]:
        if self._port is None:
            last = [node.port for node in saved]
            return last if last and all(map(is_free, last)) else free_ports(count)
        ports = list(range(self._port, self._port + count))
        for port in ports:
            if not is_free(port):
                raise BrokerError(
                    f"port {port} is in use by {holder(port)}: "
                    "stop that, or choose another (--port)"
                )
        return ports

    def _launch(self, nodes: list[Node], missing: list[Node], *, detach: bool) -> None:
        java, jars = find_java(), class_path()
        cluster_id = self._save(nodes)
        for node in missing:
            config.write(node, nodes, self._security)
        process.format_storage(missing, java, jars, cluster_id, self._security.users)
        guard = process.Guard(missing, java, jars)
        try:
            _wait_until_serving(nodes)
        except BaseException:
            guard.close()
            raise
        if detach:
            guard.release()
        else:
            self._guards.append(guard)

    def _save(self, nodes: list[Node]) -> str:
        """Write down the layout; return the id that the cluster keeps for life."""
        if self._cluster_file.exists():
            cluster_id = json.loads(self._cluster_file.read_text(encoding="utf-8"))["cluster_id"]
        else:
            # 16 bytes in Kafka's base64; a leading "-" would look like an option to its tools.
            cluster_id = "K" + secrets.token_urlsafe(16)[1:]
        layout = [
            {
                "number": node.number,
                "port": node.port,
                "controller_port": node.controller_port,
                "client_port": node.client_port,
            }
            for node in nodes
        ]
        saved = {"cluster_id": cluster_id, "nodes": layout}
        self._cluster_file.write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
        return str(cluster_id)


def _wait_until_serving(nodes: list[Node]) -> None:
    """Wait until every node is known to the cluster and answers a metadata request."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        for node in nodes:
            if process.running(node) is None:
                raise BrokerError(
                    f"Kafka node {node.number} ended while it started:\n{process.last_words(node)}"
                )
        if all(answers(node.port) for node in nodes) and _brokers_known(nodes) == len(nodes):
            return
        time.sleep(_POLL_S)
    raise BrokerError(
        f"Kafka did not serve within {READY_WITHIN_S:.0f} s:\n{process.last_words(nodes[0])}"
    )


def _brokers_known(nodes: list[Node]) -> int:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        admin = KafkaAdminClient(
            bootstrap_servers=[f"{HOST}:{node.port}" for node in nodes],
            bootstrap_timeout_ms=5_000,
        )
    except KafkaError:
        return 0
    try:
        return len(admin.describe_cluster()["brokers"])
    except KafkaError:
        return 0
    finally:
        admin.close()
