"""Every topic of Headrace: its name, and how it must be laid out in Kafka.

All but `models` have the same number of partitions, so that a user's events, row and lists, and an
item's catalogue entry, signals and row, are always the business of one worker.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from features.privacy import MARKER_DAYS

Cleanup = Literal["delete", "compact", "compact,delete"]

LETTER_HEADERS = "headrace."
"""Begins the names of the headers that a dead letter has beside those of its record."""
LETTER_REASON = f"{LETTER_HEADERS}reason"
_DAY_MS = 86_400_000
_MIB = 2**20
_FOR_EVER_MS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Topics:
    """The names of all topics, with the setting `topic_prefix` in front."""

    click: str
    search: str
    purchase: str
    catalog: str
    item_signals: str
    user_state: str
    item_state: str
    recommendations: str
    dead_letters: str
    models: str
    forget: str

    @classmethod
    def with_prefix(cls, prefix: str = "") -> "Topics":
        """Name the topics of one installation; several can share a cluster by their prefixes."""
        return cls(
            click=f"{prefix}events.click",
            search=f"{prefix}events.search",
            purchase=f"{prefix}events.purchase",
            catalog=f"{prefix}catalog",
            item_signals=f"{prefix}item-signals",
            user_state=f"{prefix}user-state",
            item_state=f"{prefix}item-state",
            recommendations=f"{prefix}recommendations",
            dead_letters=f"{prefix}dead-letters",
            models=f"{prefix}models",
            forget=f"{prefix}privacy.forget",
        )

    @property
    def events(self) -> tuple[str, str, str]:
        """The three event topics, in the order of the event kinds."""
        return self.click, self.search, self.purchase

    def __iter__(self) -> Iterator[str]:
        return iter(asdict(self).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """What one topic must look like in Kafka."""

    name: str
    partitions: int
    replication: int
    cleanup: Cleanup = "delete"
    retention_ms: int | None = None  # None: kept for good, or as long as its key lives
    max_message_bytes: int = _MIB
    # The broker stamps records, so that all workers judge an event's time by one clock.
    broker_time: bool = False
    # Compaction: what a newer record replaces, or a null value deletes, stays this long at least,
    # and at most as long as its upkeep takes beyond the second time; a null value, the third.
    kept_ms: int = 0
    erased_ms: int | None = None
    tombstone_ms: int = _DAY_MS

    def config(self) -> dict[str, str]:
        """Return the topic's settings by their Kafka names."""
        config = {
            "cleanup.policy": self.cleanup,
            "retention.ms": str(-1 if self.retention_ms is None else self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime" if self.broker_time else "CreateTime",
        }
        if self.cleanup != "delete":
            # Rows change often: compact early, or a restart reads the same row many times.
            config |= {
                "segment.bytes": str(64 * _MIB),
                "min.cleanable.dirty.ratio": "0.2",
                "min.compaction.lag.ms": str(self.kept_ms),
                "max.compaction.lag.ms": str(self.erased_ms or _FOR_EVER_MS),
                "delete.retention.ms": str(self.tombstone_ms),
            }
        return config


def specs(topics: Topics, partitions: int, replication: int) -> tuple[TopicSpec, ...]:
    """Return the layout of every topic, in the order in which data flows through them."""

    def spec(
        name: str,
        cleanup: Cleanup = "delete",
        *,
        days: int | None = None,
        max_message_bytes: int = _MIB,
        broker_time: bool = False,
        kept_days: int = 0,
        erased_days: int | None = None,
        tombstone_days: int = 1,
    ) -> TopicSpec:
        return TopicSpec(
            name=name,
            partitions=1 if name == topics.models else partitions,
            replication=replication,
            cleanup=cleanup,
            retention_ms=None if days is None else days * _DAY_MS,
            max_message_bytes=max_message_bytes,
            broker_time=broker_time,
            kept_ms=kept_days * _DAY_MS,
            erased_ms=None if erased_days is None else erased_days * _DAY_MS,
            tombstone_ms=tombstone_days * _DAY_MS,
        )

    return (
        spec(topics.click, days=30, broker_time=True),
        spec(topics.search, days=30, broker_time=True),
        spec(topics.purchase, days=30, broker_time=True),
        spec(topics.catalog, "compact", broker_time=True),
        spec(topics.item_signals, days=7),
        # A worker or a backup that slept for less than its tombstones last hears of every deletion.
        spec(topics.user_state, "compact", erased_days=1, tombstone_days=MARKER_DAYS),
        spec(topics.item_state, "compact"),
        # Every list for a day, a user's newest for a week; a null value takes back all.
        spec(
            topics.recommendations,
            "compact,delete",
            days=7,
            broker_time=True,
            kept_days=1,
            erased_days=2,
        ),
        # A dead letter is the record untouched plus headers that say where it came from.
        spec(topics.dead_letters, days=30, max_message_bytes=2 * _MIB),
        # A model in parts; one partition, so that its manifest comes after them.
        spec(topics.models, "compact"),
        # Longer than the events: who reads those again, for a new state, hears of the requests too.
        spec(topics.forget, days=MARKER_DAYS, broker_time=True),
    )
