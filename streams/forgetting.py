"""Ask the workers to forget users, and hear when they have: for commands and services."""

import time
from collections.abc import Collection
from typing import Self

from kafka import KafkaConsumer, TopicPartition

from features.privacy import marker_key
from streams.codec import decode_forget
from streams.connecting import connected
from streams.partitions import partition_of
from streams.producer import EventProducer
from streams.settings import Settings

_POLL_MS = 500


class Forgetting:
    """Requests for some users, from the sending to the workers' having carried them out.

    Example:
        with Forgetting(Settings(), ["ann"]) as forgetting:
            forgetting.ask()
            late = forgetting.wait(within_s=60)

    Args:
        settings: broker, security and topic names.
        user_ids: who is to be forgotten.

    Raises:
        BadEvent: one of the ids cannot be anybody's.
        ConnectionError: no broker answers.
        LookupError: the users' topic does not exist.
    """

    def __init__(self, settings: Settings, user_ids: Collection[str]) -> None:
        for user_id in user_ids:
            decode_forget(user_id.encode(), None)
        self._settings = settings
        self._waiting = {marker_key(user_id): user_id for user_id in user_ids}
        self._kafka = connected(KafkaConsumer, settings, enable_auto_commit=False)
        try:
            self._start()
        except BaseException:
            self._kafka.close()
            raise

    def ask(self) -> None:
        """Send the requests and wait until Kafka has them.

        Raises:
            DeliveryError: Kafka did not confirm all.
        """
        with EventProducer(self._settings) as producer:
            for user_id in self._waiting.values():
                producer.forget(user_id)

    def wait(self, within_s: float) -> list[str]:
        """Wait until the workers have forgotten all; return who is not forgotten yet.

        Each request leaves a marker in the changelog of the users' rows, behind the deletion.
        """
        deadline = time.monotonic() + within_s
        while self._waiting and time.monotonic() < deadline:
            for records in self._kafka.poll(_POLL_MS).values():
                for record in records:
                    if record.value is not None:
                        self._waiting.pop(record.key, None)
        return list(self._waiting.values())

    def _start(self) -> None:
        """Listen from here on, before anything is asked."""
        topic = self._settings.topics.user_state
        numbers = self._kafka.partitions_for_topic(topic)
        if not numbers:
            raise LookupError(f"no topic {topic!r}; create it with: headrace topics create")
        users = self._waiting.values()
        wanted = {partition_of(user_id, len(numbers)) for user_id in users}
        partitions = [TopicPartition(topic, number) for number in sorted(wanted)]
        self._kafka.assign(partitions)
        self._kafka.seek_to_end(*partitions)
        for partition in partitions:
            self._kafka.position(partition)  # "the end" is here, not at the first poll

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kafka.close()
