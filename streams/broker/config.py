"""The files that make a directory a Kafka node: server.properties and its logging."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from streams.broker.ports import HOST

# The light compiler alone halves the processor time of a start, which is what trials mostly do.
JVM_OPTIONS = ("-Xmx512m", "-XX:TieredStopAtLevel=1")
_CLIENT = "listener.name.client"
_SASL_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True, slots=True)
class Node:
    """One broker and controller of the local cluster, and the files it lives in."""

    number: int  # 1, 2, 3: Kafka's node.id
    directory: Path
    port: int
    controller_port: int
    client_port: int | None = None  # the listener with the security asked for

    @property
    def properties(self) -> Path:
        """What Kafka reads at its start, and by which we know its process again."""
        return self.directory / "server.properties"

    @property
    def data(self) -> Path:
        """Topics and cluster metadata."""
        return self.directory / "data"

    @property
    def logging(self) -> Path:
        """The log4j configuration."""
        return self.directory / "log4j2.properties"

    @property
    def log(self) -> Path:
        """What Kafka logs."""
        return self.directory / "kafka.log"

    @property
    def console(self) -> Path:
        """What Java prints when it cannot even log."""
        return self.directory / "console.log"

    @property
    def pid_file(self) -> Path:
        """The process that was last started here."""
        return self.directory / "kafka.pid"


@dataclass(frozen=True, slots=True)
class Security:
    """How the second listener, for clients that must prove themselves, is secured.

    Attributes:
        users: Passwords by name; with any, clients log in by SASL PLAIN or SCRAM.
        certificate: PEM file of the server's key and certificate; with it, they talk TLS.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    certificate: Path | None = None

    @property
    def wanted(self) -> bool:
        """Whether there is such a listener at all."""
        return bool(self.users or self.certificate)

    @property
    def protocol(self) -> str:
        """Kafka's name for it, the setting `security_protocol` of a client."""
        sasl = "SASL_" if self.users else ""
        return sasl + ("SSL" if self.certificate else "PLAINTEXT")


def write(node: Node, cluster: Sequence[Node], security: Security) -> None:
    """Write a node's configuration files."""
    node.directory.mkdir(parents=True, exist_ok=True)
    settings = server_properties(node, cluster, security)
    lines = [f"{name}={value}" for name, value in settings.items()]
    node.properties.write_text("\n".join(lines) + "\n", encoding="utf-8")
    node.properties.chmod(0o600)  # it may hold passwords
    node.logging.write_text(_LOGGING.format(log=node.log), encoding="utf-8")


def server_properties(node: Node, cluster: Sequence[Node], security: Security) -> dict[str, str]:
    """Return Kafka's settings for a node that shares one small machine with everything else."""
    copies = str(min(3, len(cluster)))
    agreeing = str(max(1, len(cluster) - 1))
    listeners = {"BROKER": node.port, "CONTROLLER": node.controller_port}
    if node.client_port is not None:
        listeners["CLIENT"] = node.client_port
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(
            f"{each.number}@{HOST}:{each.controller_port}" for each in cluster
        ),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "BROKER",
        "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in listeners.items()),
        "listener.security.protocol.map": (
            f"BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENT:{security.protocol}"
        ),
        "log.dirs": str(node.data),
        # A mistyped topic is an error, not a new topic with the wrong partitions.
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": agreeing,
        "offsets.topic.num.partitions": "3",
        "offsets.topic.replication.factor": copies,
        "transaction.state.log.num.partitions": "3",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": agreeing,
        "share.coordinator.state.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": agreeing,
        "group.initial.rebalance.delay.ms": "0",
        # The defaults are for a machine of its own.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(16 * 2**20),
        **_sasl(security.users),
        **_tls(security.certificate),
    }


def _sasl(users: Mapping[str, str]) -> dict[str, str]:
    if not users:
        return {}
    known = " ".join(f'user_{name}="{password}"' for name, password in users.items())
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        f"{_CLIENT}.sasl.enabled.mechanisms": ",".join(_SASL_MECHANISMS),
        f"{_CLIENT}.plain.sasl.jaas.config": f"{plain} {known};",
        f"{_CLIENT}.scram-sha-256.sasl.jaas.config": scram,
        f"{_CLIENT}.scram-sha-512.sasl.jaas.config": scram,
    }


def _tls(certificate: Path | None) -> dict[str, str]:
    if certificate is None:
        return {}
    return {
        f"{_CLIENT}.ssl.keystore.type": "PEM",
        f"{_CLIENT}.ssl.keystore.location": str(certificate),
    }


_LOGGING = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %m (%c)%n
appender.file.policy.type = SizeBasedTriggeringPolicy
appender.file.policy.size = 16MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
"""
