"""Everything of Faust, mode and aiokafka that the engine relies on and nobody promises to keep.

An upgrade that breaks the engine breaks one of these first: the test names it and what it is for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiokafka
from aiokafka.client import AIOKafkaClient
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch
from aiokafka.producer.producer import AIOKafkaProducer
from aiokafka.protocol.api import Request, RequestStruct
from faust.app.base import App
from faust.stores.base import SerializedStore, Store
from faust.streams import Stream
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.tables.table import Table
from faust.transport.conductor import ConductorCompiler
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.threads import ServiceThread
from mode.utils.collections import ManagedUserDict
from mode.utils.queues import ThrowableQueue


@dataclass(frozen=True)
class Seam:
    """A method that we call or override, or an attribute that we read or set."""

    owner: type
    name: str
    use: str
    parameters: str | None = None  # of a method, in order, without self; None: an attribute
    caller: Callable[..., Any] | type | None = None  # upstream code that must still name it

    def __str__(self) -> str:
        return f"{self.owner.__module__}.{self.owner.__name__}.{self.name}"


_THREAD = driver.AIOKafkaConsumerThread
_REBALANCE = "assigned revoked newly_assigned generation_id"

CONSUMER = [
    Seam(driver.Consumer, "RebalanceListener", "epochs begin", None, _THREAD),
    Seam(driver.ConsumerRebalanceListener, "_thread", "the way to the consumer"),
    Seam(
        driver.ConsumerRebalanceListener,
        "on_partitions_revoked",
        "the first sign of a rebalance",
        "revoked",
    ),
    Seam(driver.Consumer, "_new_consumer_thread", "our thread", "", ThreadDelegateConsumer),
    Seam(ThreadDelegateConsumer, "_thread", "seeks to the start"),
    Seam(_THREAD, "_create_worker_consumer", "fetch wait, isolation level", "transport", _THREAD),
    Seam(
        _THREAD,
        "_fetch_records",
        "records get the epoch they were fetched in",
        "consumer active_partitions timeout max_records",
    ),
    Seam(
        _THREAD,
        "getmany",
        "fetches without a queue of calls",
        "active_partitions timeout",
        ThreadDelegateConsumer,
    ),
    Seam(_THREAD, "_ensure_consumer", "what to fetch with", ""),
    Seam(_THREAD, "thread_loop", "where to fetch"),
    Seam(aiokafka.AIOKafkaConsumer, "_max_poll_records", "how much to fetch"),
    Seam(
        _THREAD, "on_thread_stop", "leaves the group in bounds", "", ServiceThread._shutdown_thread
    ),
    Seam(_THREAD, "close", "would close another loop's connections", "", ThreadDelegateConsumer),
    Seam(BaseConsumer, "getmany", "yields batches", "timeout", BaseConsumer._drain_messages),
    Seam(BaseConsumer, "_wait_next_records", "where records come from", "timeout"),
    Seam(BaseConsumer, "_new_offset", "what is committed", "tp", BaseConsumer),
    Seam(
        BaseConsumer,
        "_filter_tps_with_pending_acks",
        "which partitions are committed",
        "topics",
        BaseConsumer,
    ),
    Seam(
        BaseConsumer,
        "_add_gap",
        "holes inside a batch are none",
        "tp offset_from offset_to",
        BaseConsumer._drain_messages,
    ),
    Seam(
        BaseConsumer,
        "on_partitions_revoked",
        "the last commit",
        "revoked",
        ThreadDelegateConsumer,
    ),
    Seam(BaseConsumer, "on_buffer_drop", "no fetch while tables recover", "tp", ConductorCompiler),
    Seam(BaseConsumer, "seek", "outdates outstanding batches", "partition offset"),
    Seam(BaseConsumer, "perform_seek", "back to what is committed", "", Recovery._resume_streams),
    Seam(BaseConsumer, "_read_offset", "redelivery is let through"),
    Seam(BaseConsumer, "_acked", "Faust's own account of acks, kept empty"),
    Seam(BaseConsumer, "_acked_index", "the same"),
    Seam(BaseConsumer, "_committed_offset", "partitions without a commit start at the start"),
    Seam(BaseConsumer, "_buffered_partitions", "partitions whose buffers are full"),
    Seam(BaseConsumer, "_get_active_partitions", "whether there is anything to fetch", ""),
    Seam(BaseConsumer, "resume_partitions", "wakes the fetch up", "tps", Recovery),
    Seam(BaseConsumer, "_is_changelog_tp", "sources are sought, changelogs not", "tp"),
    Seam(aiokafka.AIOKafkaConsumer, "_fetch_max_wait_ms", "Faust has no setting for it"),
    Seam(aiokafka.AIOKafkaConsumer, "_isolation_level", "Faust has no setting for it"),
    Seam(aiokafka.AIOKafkaConsumer, "_client", "patience with a broker that is gone"),
    Seam(aiokafka.AIOKafkaConsumer, "_subscription", "positions, for the watch over partitions"),
]

PRODUCER = [
    Seam(driver.Transport, "Consumer", "batch://", None, driver.Transport.__mro__[1]),
    Seam(driver.Transport, "Producer", "batch://", None, driver.Transport.__mro__[1]),
    Seam(driver.Producer, "_settings_extra", "idempotence", "", driver.Producer),
    Seam(driver.Producer, "_new_producer", "patience", "transactional_id", driver.Producer),
    Seam(driver.Producer, "_ensure_producer", "aiokafka's producer, to send batches", ""),
    Seam(AIOKafkaProducer, "create_batch", "whole batches", ""),
    Seam(AIOKafkaProducer, "send_batch", "whole batches", "batch topic partition"),
    Seam(AIOKafkaProducer, "client", "registering a changelog's writer"),
    Seam(
        AIOKafkaClient,
        "_metadata_update",
        "patience with a broker that is gone",
        "cluster_metadata topics",
        AIOKafkaClient,
    ),
    Seam(
        AIOKafkaClient,
        "coordinator_lookup",
        "registering a changelog's writer",
        "coordinator_type coordinator_key",
    ),
    Seam(AIOKafkaClient, "send", "registering a changelog's writer", "node_id request group"),
    Seam(
        BatchBuilder,
        "_set_producer_state",
        "a changelog batch is signed by its owner",
        "producer_id producer_epoch base_sequence",
        MessageBatch.set_producer_state,
    ),
    Seam(
        MessageBatch,
        "set_producer_state",
        "called once a batch, when it is first sent",
        "producer_id producer_epoch base_sequence",
        MessageAccumulator._pop_batch,
    ),
    Seam(BatchBuilder, "append", "whole batches", "timestamp key value headers"),
    Seam(BatchBuilder, "record_count", "sequence numbers and offsets", ""),
    Seam(BatchBuilder, "size", "refusing what is too large", ""),
    Seam(Request, "build", "InitProducerId version 4", "request_struct_class"),
    Seam(RequestStruct, "FLEXIBLE_VERSION", "InitProducerId version 4"),
]

TABLES = [
    Seam(Collection, "_new_store", "our store", "", Collection),
    Seam(Collection, "_new_store_by_url", "our store", "url"),
    Seam(Collection, "_verify_source_topic_partitions", "co-partitioning", "source_topic"),
    Seam(Collection, "on_start", "refuses to run without the changelog", ""),
    Seam(
        Collection,
        "on_rebalance",
        "the fence, before recovery reads the changelogs' ends",
        _REBALANCE,
        TableManager.on_rebalance,
    ),
    Seam(Collection, "apply_changelog_batch", "recovery", "batch", Recovery),
    Seam(Table, "on_key_set", "refuses single writes", "key value", ManagedUserDict),
    Seam(Table, "on_key_del", "refuses single writes", "key", ManagedUserDict),
    Seam(TableManager, "_changelog_queue", "recovery of this epoch's batches only"),
    Seam(ThrowableQueue, "get", "recovery of this epoch's batches only", "", Recovery),
    Seam(Recovery, "active_tps", "what may be read while tables recover"),
    Seam(Recovery, "active_offsets", "how far recovery is"),
    Seam(Recovery, "active_highwaters", "where recovery ends"),
    Seam(Recovery, "active_remaining", "which partitions wait", ""),
    Seam(Recovery, "in_recovery", "whether anything recovers"),
    Seam(Store, "persisted_offset", "where recovery starts", "tp", Collection),
    Seam(Store, "set_persisted_offset", "stock tables over our store", "tp offset", Collection),
    Seam(Store, "need_active_standby_for", "standbys of everything", "tp", Collection),
    Seam(Store, "on_rebalance", "opens and closes partitions", _REBALANCE, Collection),
    Seam(Store, "on_stop", "closes databases", ""),
    Seam(SerializedStore, "apply_changelog_batch", "recovery", "batch to_key to_value", Collection),
    Seam(SerializedStore, "_get", "stock tables over our store", "key", SerializedStore),
    Seam(SerializedStore, "_contains", "stock tables", "key", SerializedStore),
    Seam(SerializedStore, "_set", "stock tables", "key value", SerializedStore),
    Seam(SerializedStore, "_del", "stock tables", "key", SerializedStore),
    Seam(SerializedStore, "_iteritems", "stock tables", "", SerializedStore),
    Seam(SerializedStore, "_iterkeys", "stock tables", "", SerializedStore),
    Seam(SerializedStore, "_itervalues", "stock tables", "", SerializedStore),
    Seam(SerializedStore, "_size", "stock tables", "", SerializedStore),
    Seam(SerializedStore, "_clear", "stock tables", "", SerializedStore),
    Seam(Store, "backup_partition", "backups", "tp flush purge keep"),
    Seam(Store, "restore_backup", "backups", "tp latest backup_id"),
    Seam(Store, "reset_state", "refused: an operator moves state away", ""),
]

APP = [
    Seam(
        App,
        "consumer_generation_id",
        "messages of an old generation are dropped",
        None,
        driver.ConsumerRebalanceListener,
    ),
    Seam(App, "rebalancing", "nothing is served before tables are recovered", None, App),
    Seam(App, "crash", "a batch that fails ends the worker", "reason"),
    Seam(Service, "mundane_level", "a quiet watch", None, Service),
    Seam(Stream, "noack", "acks are ours", ""),
    Seam(Stream, "ack", "acks are ours", "event"),
    Seam(Stream, "events", "batches come as events", ""),
]

SEAMS = [*CONSUMER, *PRODUCER, *TABLES, *APP]
