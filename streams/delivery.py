"""Sending records to Kafka so that a failure cannot be missed and memory stays bounded."""

import threading
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streams.partitions import KeyPartitioner
from streams.security import connection
from streams.settings import Settings

_BATCH_BYTES = 256 * 1024
_TOLD = 5  # failures that one error spells out; all are counted


class DeliveryError(RuntimeError):
    """Kafka did not confirm what was sent; the message names what, why and, if known, the cure.

    Send the named events again under their own event_id: one that did arrive counts once.
    """


class Delivery:
    """Hands records to a kafka-python producer and keeps account of every one.

    The producer has no bound of its own, and reports failures only to those who ask each future:
    here, sending waits while too many records are unconfirmed, and the next call raises what went
    wrong since the last. Threads may share it.

    Args:
        settings: broker, security and compression.
        unconfirmed: how many records may be on their way.
        linger_ms: how long a record may wait for others to share its request.
        timeout_s: how long to try to deliver, and to wait for room, for a topic and in a flush.

    Raises:
        DeliveryError: no broker answers within `timeout_s`.
    """

    def __init__(
        self, settings: Settings, *, unconfirmed: int, linger_ms: int, timeout_s: float
    ) -> None:
        self._timeout_s = timeout_s
        self._most = unconfirmed
        self._changed = threading.Condition()
        self._unconfirmed = 0
        self._failures: list[str] = []
        timeout_ms = int(timeout_s * 1000)
        try:
            self._kafka = KafkaProducer(
                acks="all",
                enable_idempotence=True,
                compression_type=None if settings.compression == "none" else settings.compression,
                partitioner=KeyPartitioner(),
                allow_auto_create_topics=False,
                batch_size=_BATCH_BYTES,
                linger_ms=linger_ms,
                max_block_ms=timeout_ms,
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=max(1, timeout_ms - linger_ms),
                delivery_timeout_ms=timeout_ms,
                metrics_enabled=False,
                **connection(settings),
            )
        except KafkaError as error:
            raise DeliveryError(f"{settings.broker}: no broker answers: {error}") from error

    def send(self, topic: str, key: bytes, value: bytes | None, name: str) -> None:
        """Send a record; `name` is what an error calls it.

        Raises:
            DeliveryError: there is no such topic, the record is too large, no room came free, or
                an earlier record was not confirmed.
        """
        with self._changed:
            if self._failures:
                self._raise()
            if self._unconfirmed >= self._most and not self._changed.wait_for(
                lambda: self._unconfirmed < self._most, self._timeout_s
            ):
                raise DeliveryError(
                    f"{name} was not sent: {self._unconfirmed} records before it are not confirmed "
                    f"after {self._timeout_s:g} s"
                )
            self._unconfirmed += 1
        try:
            future = self._kafka.send(topic, key=key, value=value)
        except KafkaTimeoutError as error:
            self._settle()
            raise DeliveryError(
                f"{name} was not sent: no topic {topic!r} within {self._timeout_s:g} s; "
                "create it with: headrace topics create"
            ) from error
        except BaseException as error:
            self._settle()
            if isinstance(error, KafkaError):
                raise DeliveryError(f"{name} was not sent to {topic!r}: {error}") from error
            raise
        future.add_callback(self._confirmed)
        future.add_errback(self._refused, name, topic)

    def flush(self) -> None:
        """Wait until everything that was sent is confirmed.

        Raises:
            DeliveryError: something was refused, or is still unconfirmed after `timeout_s`.
        """
        with self._changed:
            done = self._changed.wait_for(lambda: self._unconfirmed == 0, self._timeout_s)
            if self._failures:
                self._raise()
            if not done:
                raise DeliveryError(
                    f"{self._unconfirmed} records are not confirmed after {self._timeout_s:g} s"
                )

    def close(self) -> None:
        """Close the connections and give up what is unconfirmed; `flush` first."""
        self._kafka.close(timeout=0 if self._unconfirmed else self._timeout_s)

    def _confirmed(self, _: Any) -> None:
        self._settle()

    def _refused(self, name: str, topic: str, error: BaseException) -> None:
        self._settle(f"{name} to {topic!r}: {error}")

    def _settle(self, failure: str | None = None) -> None:
        with self._changed:
            self._unconfirmed -= 1
            if failure is not None:
                self._failures.append(failure)
            if self._unconfirmed in {0, self._most - 1}:
                self._changed.notify_all()

    def _raise(self) -> None:
        """Raise the failures so far, once."""
        failures, self._failures = self._failures, []
        more = f" and {len(failures) - _TOLD} more" if len(failures) > _TOLD else ""
        raise DeliveryError(f"{len(failures)} not delivered: {'; '.join(failures[:_TOLD])}{more}")
