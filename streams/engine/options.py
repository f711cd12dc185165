"""Faust settings that the engine needs, and the names of its plug-ins."""

from pathlib import Path
from typing import Any, Literal

import faust.stores
import faust.transport.drivers

Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]
MiB = 1 << 20


def install() -> None:
    """Make `batch://` and `batchrocks://` known to Faust, also where no wheel is installed."""
    faust.transport.drivers.TRANSPORTS.data["batch"] = "streams.engine.transport:Transport"
    faust.stores.STORES.data["batchrocks"] = "streams.engine.store:Store"


def app_options(
    *,
    data_dir: Path,
    worker_id: str | None = None,
    credentials: Any = None,
    compression: Compression = "lz4",
    fetch_max_bytes: int = 8 * MiB,
    batch_records: int = 4096,
    max_batch_bytes: int = 900_000,
    standby_replicas: int = 0,
    commit_interval_s: float = 1.0,
    session_timeout_s: float = 30.0,
    request_timeout_s: float = 60.0,
    rebalance_timeout_s: float = 60.0,
) -> dict[str, Any]:
    """Return options for `faust.App(id, broker="batch://...", **app_options(...))`.

    Args:
        data_dir: of this worker process alone.
        worker_id: static membership: a worker that comes back under its id within the session
            timeout keeps its partitions and rebalances nobody. Unique per process.
        credentials: faust.SASLCredentials or faust.SSLCredentials.
        compression: of everything sent; the codecs come with cramjam.
        fetch_max_bytes: per partition and fetch. Below some MiB a worker waits for fetches.
        batch_records: most records handled at once: memory and delay against speed.
        max_batch_bytes: of a batch sent, uncompressed; below the topics' max.message.bytes.
        standby_replicas: how many other workers keep a copy of each partition's rows.
        commit_interval_s: how often offsets are committed, that is, how much is replayed.
        session_timeout_s: silence after which a worker's partitions go to others.
        request_timeout_s: patience with the broker; at least the session timeout.
        rebalance_timeout_s: time that workers have to let go of their partitions.
    """
    install()
    return {
        "store": "batchrocks://",
        "datadir": data_dir,
        "key_serializer": "raw",  # batches are decoded by the agents
        "value_serializer": "raw",
        "autodiscover": False,
        "web_enabled": False,  # it would show every table to whoever asks
        "topic_disable_leader": True,
        "topic_allow_declare": False,  # topics are created with our own settings, not Faust's
        "broker_credentials": credentials,
        "broker_session_timeout": session_timeout_s,
        "broker_heartbeat_interval": session_timeout_s / 10,
        "broker_request_timeout": request_timeout_s,
        "broker_rebalance_timeout": rebalance_timeout_s,
        "broker_commit_interval": commit_interval_s,
        "broker_max_poll_records": batch_records,
        "consumer_auto_offset_reset": "earliest",
        "consumer_group_instance_id": worker_id,
        "consumer_max_fetch_size": fetch_max_bytes,
        "producer_acks": -1,
        "producer_compression_type": None if compression == "none" else compression,
        "producer_linger_ms": 0,
        "producer_max_batch_size": max_batch_bytes,
        "producer_max_request_size": 2 * max_batch_bytes,
        "producer_request_timeout": request_timeout_s,
        # Batches, not records. Fewer hold up polls that found little: at three quarters of it Faust
        # stops fetching, and aiokafka then leaves a node's other partitions alone for 0.1 s.
        "stream_buffer_maxsize": 16,
        "stream_wait_empty": False,
        "stream_recovery_delay": 0.0,
        "table_standby_replicas": standby_replicas,
    }


def use_uvloop() -> None:
    """Let the process, and every thread of Faust, run on uvloop. Call before the app is made."""
    import uvloop

    uvloop.install()
