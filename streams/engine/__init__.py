"""Faust, a batch at a time: a transport, a store and a table at Faust's own extension points."""

from streams.engine.agent import agent, consume
from streams.engine.batch import Batch, PartitionRevoked
from streams.engine.options import app_options, install, use_uvloop
from streams.engine.output import Output, Receipt, partition_of
from streams.engine.packing import RecordTooLarge
from streams.engine.rocks import Memory, StoreCorrupt, StoreError, StoreForeign, StoreLocked
from streams.engine.shard import CommitAbandoned
from streams.engine.sweep import Sweep
from streams.engine.table import BatchTable, ChangelogMissing, table
from streams.engine.watch import Watch, watch

__all__ = [
    "Batch",
    "BatchTable",
    "ChangelogMissing",
    "CommitAbandoned",
    "Memory",
    "Output",
    "PartitionRevoked",
    "Receipt",
    "RecordTooLarge",
    "StoreCorrupt",
    "StoreError",
    "StoreForeign",
    "StoreLocked",
    "Sweep",
    "Watch",
    "agent",
    "app_options",
    "consume",
    "install",
    "partition_of",
    "table",
    "use_uvloop",
    "watch",
]
