"""Sending records to Kafka so that a failure cannot be missed and memory stays bounded."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from streams.connecting import connected
from streams.partitions import KeyPartitioner
from streams.settings import Settings

_BATCH_BYTES = 256 * 1024
_TOLD = 5  # failures that one error spells out; all are counted


class DeliveryError(RuntimeError):
    """Kafka did not confirm what was sent; the message names what, why and, if known, the cure.

    Send the named events again under their own event_id: one that did arrive counts once.

    Attributes:
        names: of all records that were not confirmed, as far as they are known: the event_id of an
            event, the item_id of a catalogue entry, the user_id of a request to forget.
    """

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.names = tuple(names)


class Delivery:
    """Hands records to a kafka-python producer and keeps account of every one.

    That producer has no bound of its own, reports failures only to those who ask each future, and
    an idempotent one takes nothing more once a record was refused. Here, sending waits while too
    many records are unconfirmed; the next call raises what went wrong since the last, all of it at
    once; and the call after that starts with a fresh producer. Threads may share it.

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
        self._settings = settings
        self._linger_ms = linger_ms
        self._timeout_s = timeout_s
        self._most = unconfirmed
        self._changed = threading.Condition()
        self._unconfirmed = 0
        self._failures: list[tuple[str, str]] = []  # name, what went wrong
        self._kafka: KafkaProducer | None = self._connect()

    def send(self, topic: str, key: bytes, value: bytes | None, name: str) -> None:
        """Send a record; `name` is what an error calls it.

        Raises:
            DeliveryError: there is no such topic, the record is too large, no room came free, or
                an earlier record was not confirmed. This record was not sent.
        """
        with self._changed:
            self._raise_failures()
            if self._unconfirmed >= self._most and not self._settled(self._most - 1):
                raise DeliveryError(
                    f"{name} was not sent: {self._unconfirmed} records before it are not confirmed "
                    f"after {self._timeout_s:g} s",
                    [name],
                )
            if self._kafka is None:
                self._kafka = self._connect()
            kafka = self._kafka
            self._unconfirmed += 1
        try:
            future = kafka.send(topic, key=key, value=value)
        except KafkaTimeoutError as error:
            self._settle()
            raise DeliveryError(
                f"{name} was not sent: no topic {topic!r} within {self._timeout_s:g} s; "
                "create it with: headrace topics create",
                [name],
            ) from error
        except BaseException as error:
            self._settle()
            if isinstance(error, KafkaError):
                raise DeliveryError(f"{name} was not sent to {topic!r}: {error}", [name]) from error
            raise
        future.add_callback(self._confirmed)
        future.add_errback(self._refused, name, topic)

    def flush(self) -> None:
        """Wait until everything that was sent is confirmed.

        Raises:
            DeliveryError: something was refused, or is still unconfirmed after `timeout_s`.
        """
        with self._changed:
            done = self._settled(0)
            self._raise_failures()
            if not done:
                raise DeliveryError(
                    f"{self._unconfirmed} records are not confirmed after {self._timeout_s:g} s"
                )

    def close(self) -> None:
        """Close the connections and give up what is unconfirmed; `flush` first."""
        if self._kafka is not None:
            with suppress(KafkaTimeoutError):
                self._kafka.close(timeout=0 if self._unconfirmed else self._timeout_s)

    def _connect(self) -> KafkaProducer:
        settings, timeout_ms = self._settings, int(self._timeout_s * 1000)
        try:
            return connected(
                KafkaProducer,
                settings,
                acks="all",
                enable_idempotence=True,
                compression_type=None if settings.compression == "none" else settings.compression,
                partitioner=KeyPartitioner(),
                batch_size=_BATCH_BYTES,
                linger_ms=self._linger_ms,
                max_block_ms=timeout_ms,
                bootstrap_timeout_ms=timeout_ms,
                request_timeout_ms=max(1, timeout_ms - self._linger_ms),
                delivery_timeout_ms=timeout_ms,
            )
        except ConnectionError as error:
            raise DeliveryError(str(error)) from error

    def _settled(self, most: int) -> bool:
        """Wait until at most so many records are unconfirmed; False if that takes too long."""
        return self._changed.wait_for(lambda: self._unconfirmed <= most, self._timeout_s)

    def _confirmed(self, _: Any) -> None:
        self._settle()

    def _refused(self, name: str, topic: str, error: BaseException) -> None:
        self._settle((name, f"{name} to {topic!r}: {type(error).__name__}"))

    def _settle(self, failure: tuple[str, str] | None = None) -> None:
        with self._changed:
            self._unconfirmed -= 1
            if failure is not None:
                self._failures.append(failure)
            if self._unconfirmed in {0, self._most - 1}:
                self._changed.notify_all()

    def _raise_failures(self) -> None:
        """Raise what failed so far, once, and part with the producer that it failed in."""
        if not self._failures:
            return
        self._settled(0)  # what was on its way fails too, and belongs into the same error
        if not self._failures:
            return  # another thread has told it
        failures, self._failures = self._failures, []
        self.close()
        self._kafka = None
        told = "; ".join(what for _, what in failures[:_TOLD])
        more = f"; and {len(failures) - _TOLD} more" if len(failures) > _TOLD else ""
        raise DeliveryError(
            f"{len(failures)} not delivered: {told}{more}", [name for name, _ in failures]
        )
