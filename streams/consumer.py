"""Receive recommendations in an app: typed, each list once, for everyone or for some users."""

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.codec import BadEvent, decode_recommendation
from streams.connecting import connected
from streams.lists import Recommendation
from streams.partitions import partition_of
from streams.settings import Settings

log = logging.getLogger(__name__)

_POLL_S = 0.5  # a blocked iteration wakes so often, so that Ctrl-C and deadlines are noticed


class RecommendationConsumer:
    """Iterates over the lists that the workers publish.

    Without a group it sees every list from now on (or from the beginning), and two of them see the
    same. With a group, the lists are shared among its members and a restart goes on where the
    group stopped: a list is confirmed once the next ones are asked for, so that after a crash some
    come again. Lists that come twice into one consumer are dropped by their `rec_id`.

    Example:
        with RecommendationConsumer(Settings(broker="localhost:9092"), users={"ann"}) as lists:
            for found in lists:
                show(found.user_id, [item.item_id for item in found.items])

    Args:
        settings: broker, security and topic names; from the environment if left out.
        group: consumer group to share the lists in.
        from_beginning: start at the oldest list kept (for a group: only where it never was before).
        users: only lists of these users; without a group only their partitions are read.
        timeout_s: iteration ends when no list came for so long; None waits for ever.
        remember: how many `rec_id` are kept to tell what came before.

    Raises:
        ConnectionError: no broker answers.
        LookupError: the topic does not exist.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        group: str | None = None,
        from_beginning: bool = False,
        users: Collection[str] | None = None,
        timeout_s: float | None = None,
        remember: int = 10_000,
    ) -> None:
        settings = settings or Settings()
        self._topic = settings.topics.recommendations
        self._group = group
        self._users = None if users is None else frozenset(users)
        self._timeout_s = timeout_s
        self._remember = remember
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._waiting: deque[Recommendation] = deque()
        self._kafka = connected(
            KafkaConsumer,
            settings,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest" if from_beginning else "latest",
        )
        try:
            self._start(from_beginning=from_beginning)
        except BaseException:
            self._kafka.close()
            raise

    def poll(self, timeout_s: float = 0.0) -> list[Recommendation]:
        """Return the lists that arrive within `timeout_s`, as soon as there are some.

        In a group this confirms all lists that were returned before.
        """
        if self._group is not None:
            self._commit()
        records: dict[Any, list[Any]] = self._kafka.poll(timeout_ms=int(timeout_s * 1000))
        decoded = (self._decoded(record) for batch in records.values() for record in batch)
        return [found for found in decoded if found is not None]

    def __iter__(self) -> Iterator[Recommendation]:
        """Yield one list after another until none came for `timeout_s`."""
        heard = time.monotonic()
        while True:
            while self._waiting:
                yield self._waiting.popleft()
                heard = time.monotonic()  # the time that the caller took does not count
            left = _POLL_S
            if self._timeout_s is not None:
                left = min(_POLL_S, heard + self._timeout_s - time.monotonic())
                if left <= 0:
                    return
            self._waiting.extend(self.poll(left))

    def close(self) -> None:
        """Confirm what was handed out, leave the group and close the connections."""
        try:
            if self._group is not None and not self._waiting:
                self._commit()
        finally:
            self._kafka.close(autocommit=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # what failed in the block was perhaps not dealt with: it comes again
            self._kafka.close(autocommit=False)

    def _start(self, *, from_beginning: bool) -> None:
        """Subscribe as a member of the group, or take partitions and fix where reading starts."""
        numbers = self._kafka.partitions_for_topic(self._topic)
        if not numbers:
            raise LookupError(f"no topic {self._topic!r}; create it with: headrace topics create")
        if self._group is not None:
            self._kafka.subscribe([self._topic])
            return
        if self._users is not None:
            numbers = {partition_of(user, len(numbers)) for user in self._users}
        partitions = [TopicPartition(self._topic, number) for number in sorted(numbers)]
        self._kafka.assign(partitions)
        if from_beginning:
            self._kafka.seek_to_beginning(*partitions)
        else:
            self._kafka.seek_to_end(*partitions)
            for partition in partitions:
                self._kafka.position(partition)  # "now" is here, not at the first poll

    def _commit(self) -> None:
        try:
            self._kafka.commit()
        except KafkaError as error:  # the group moved on: another member gets these lists again
            log.warning("group %s: offsets not committed: %s", self._group, error)

    def _decoded(self, record: Any) -> Recommendation | None:
        """Decode a record; None for other users', for what came before and for what is no list."""
        if (
            self._users is not None
            and (record.key or b"").decode(errors="replace") not in self._users
        ):
            return None
        if record.value is None:  # the user was forgotten
            return None
        try:
            found = decode_recommendation(record.value)
        except BadEvent as error:
            log.warning(
                "%s[%d] offset %d is skipped: %s",
                *(record.topic, record.partition, record.offset, error),
            )
            return None
        if found.rec_id in self._seen:
            return None
        self._seen[found.rec_id] = None
        if len(self._seen) > self._remember:
            self._seen.popitem(last=False)
        return found
