"""Looks at Kafka: where topics end, how far the workers are, and who they are."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import CoordinatorNotAvailableError, KafkaError
from msgspec import Struct

from streams import admin
from streams.settings import Settings

log = logging.getLogger("kafka.admin._groups")
log.addFilter(lambda record: not record.getMessage().startswith("Unable to decode member_metadata"))
"""What Faust's workers say to each other is theirs; kafka-python warns of it at every look."""

Place = tuple[str, int]
"""A topic and a number of a partition."""


class Member(Struct, frozen=True, kw_only=True):
    """A worker, as the group knows it.

    Attributes:
        name: Its `worker_id`; where it has none, the id that the group gave it.
        host: Address that it comes from.
        partitions: What it works at, of all event topics alike.
    """

    name: str
    host: str
    partitions: tuple[int, ...]


class Offsets(Struct, frozen=True, kw_only=True):
    """One look.

    Attributes:
        ends: Where each partition of each topic ends.
        lags: Records that the workers have not confirmed yet, of each partition that they read.
        group: State of their group by Kafka's word, such as "Stable" or "Empty".
        members: Those in it.
    """

    ends: dict[Place, int]
    lags: dict[Place, int]
    group: str
    members: tuple[Member, ...]


class Cluster:
    """Asks through one connection, which is made anew after an error.

    Args:
        settings: Broker, security, topic names and partitions, and the workers' group.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        topics = settings.topics
        self._shown = {
            spec.name: spec.partitions
            for spec in settings.topic_specs
            if spec.name in {*self.read_by(settings), topics.recommendations, topics.dead_letters}
        }
        self._read = frozenset(self.read_by(settings))
        self._open = ExitStack()
        self._client: Any = None

    @staticmethod
    def read_by(settings: Settings) -> tuple[str, ...]:
        """Return the topics that the workers read and confirm."""
        topics = settings.topics
        return (*topics.events, topics.catalog, topics.item_signals, topics.forget)

    def look(self) -> Offsets:
        """Return how things stand.

        Raises:
            ConnectionError: Kafka does not answer, or not to us.
        """
        try:
            if self._client is None:
                self._client = self._open.enter_context(admin.connect(self._settings))
            return self._look(self._client)
        except KafkaError as error:
            self.close()
            raise ConnectionError(f"{self._settings.broker}: {error}") from error
        except ConnectionError:
            self.close()
            raise

    def close(self) -> None:
        """Leave the broker."""
        self._open.close()
        self._client = None

    def _look(self, client: Any) -> Offsets:
        group = self._settings.app_id
        places = [(topic, n) for topic, count in self._shown.items() for n in range(count)]
        try:  # first, so that none is beyond an end
            committed = client.list_group_offsets([group])[group]
            described = client.describe_groups([group])[group]
        except CoordinatorNotAvailableError:  # the first group of a new cluster
            committed, described = {}, {}
        ends = _offsets(client, places, OffsetSpec.LATEST)
        read = [place for place in places if place[0] in self._read]
        done = {(tp.topic, tp.partition): at.offset for tp, at in committed.items()}
        untouched = [place for place in read if done.get(place, -1) < 0]
        done |= _offsets(client, untouched, OffsetSpec.EARLIEST)
        return Offsets(
            ends=ends,
            lags={place: max(0, ends[place] - done[place]) for place in read},
            group=described.get("group_state", ""),
            members=members_of(described.get("members", ()), self._settings.topics.events),
        )


def members_of(told: Iterable[Mapping[str, Any]], topics: Iterable[str]) -> tuple[Member, ...]:
    """Return a group's members by their names, from what Kafka tells of it."""
    wanted = frozenset(topics)
    found = []
    for one in told:
        assignment = one["member_assignment"]
        assigned = assignment["assigned_partitions"] if isinstance(assignment, Mapping) else ()
        numbers = {n for each in assigned if each["topic"] in wanted for n in each["partitions"]}
        member = Member(
            name=one["group_instance_id"] or one["member_id"],
            host=one["client_host"].lstrip("/"),
            partitions=tuple(sorted(numbers)),
        )
        found.append(member)
    return tuple(sorted(found, key=lambda member: (member.partitions, member.name)))


def _offsets(client: Any, places: list[Place], spec: OffsetSpec) -> dict[Place, int]:
    if not places:
        return {}
    found = client.list_partition_offsets({TopicPartition(*place): spec for place in places})
    return {(tp.topic, tp.partition): at.offset for tp, at in found.items()}
