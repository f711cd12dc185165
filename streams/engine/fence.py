"""One writer per changelog partition: the broker refuses whoever had it before.

A process that was stopped, or cut off, may hold a batch that its producer has not sent. When it
wakes up, others own its partitions and have written newer rows; its batch would undo them. So
each owner registers as the partition's only writer, under a `transactional.id` of its own, and the
broker refuses the batches of earlier ones from the first record of the new one on (KIP-98's zombie
fencing). No transaction is ever begun: a batch costs what an idempotent one costs.
See docs/decisions/0009-fenced-changelogs.md.
"""

import asyncio
import time
from typing import Any

from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorError,
    ProducerFenced,
    RequestTimedOutError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields
from faust.types import AppT

FENCE = b"\x00headrace\x00fence"
"""Key of the record that each new owner writes first; its value is null, so readers ignore it."""

RENEW_S = 24 * 3600.0  # brokers forget a transactional.id after transactional.id.expiration.ms, 7 d
_RETRY_S = 0.1
_TRANSACTION_TIMEOUT_MS = 60_000  # required, but there are no transactions
_UNKNOWN = (-1, -1)
_PASSING = (
    ConcurrentTransactions,
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorError,
    RequestTimedOutError,
)
_PRODUCER_FENCED = 90  # not in aiokafka's table of errors


class _InitProducerIdResponse(Response):  # type: ignore[misc]  # untyped
    API_KEY = 22
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class _InitProducerIdStruct(RequestStruct):  # type: ignore[misc]  # untyped
    API_KEY = 22
    API_VERSION = 4  # Kafka 2.7; from 3 on a producer may renew its own id (KIP-360)
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _InitProducerIdResponse
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class _InitProducerId(Request[_InitProducerIdStruct]):  # type: ignore[misc]  # untyped
    """aiokafka has version 0 alone, which cannot renew."""

    API_KEY = 22

    def __init__(self, transactional_id: str, pid: int, epoch: int) -> None:
        self._fields: tuple[object, ...] = (
            transactional_id,
            _TRANSACTION_TIMEOUT_MS,
            pid,
            epoch,
            {},
        )

    def build(self, request_struct_class: type[_InitProducerIdStruct]) -> _InitProducerIdStruct:
        return request_struct_class(*self._fields)


class Writer:
    """The right to write one partition, until somebody else registers for it.

    Batches are signed when they are made, not when they are sent: what an earlier owner made stays
    the earlier owner's, whatever happens to the producer that carries it.

    Args:
        app: an app on `batch://`, started.
        topic: the changelog.
        partition: one of ours.
    """

    def __init__(self, app: AppT, topic: str, partition: int) -> None:
        self.epoch: int = app.consumer.epoch  # of the rebalance that gave us the partition
        self._client = app.producer.client.client
        self._within_s = app.conf.broker_request_timeout
        self._id = f"{app.conf.id}-{topic}-{partition}"
        self._identity = _UNKNOWN
        self._sequence = 0
        self._registered_at = 0.0

    async def register(self) -> None:
        """Become the only writer, or, registered already, renew that before the broker forgets it.

        Batches of earlier writers are refused once the first signed batch is stored.

        Raises:
            aiokafka.errors.ProducerFenced: somebody else has registered since we did.
            PermissionError: the broker's rules refuse the transactional.id.
            aiokafka.errors.KafkaError: no answer within the request timeout.
        """
        started = time.monotonic()
        while True:
            try:
                self._identity = await self._init_producer_id()
                break
            except _PASSING:
                if time.monotonic() > started + self._within_s:
                    raise
                await asyncio.sleep(_RETRY_S)
            except TransactionalIdAuthorizationFailed as error:
                raise PermissionError(
                    f"transactional.id {self._id!r} is refused by the broker: allow this user "
                    "Describe and Write on TransactionalId resources prefixed by the app's id"
                ) from error
        self._sequence = 0
        self._registered_at = started

    async def renew(self) -> None:
        """Register again where the last time is long ago; nothing of ours may be in flight."""
        if time.monotonic() > self._registered_at + RENEW_S:
            await self.register()

    def sign(self, builder: Any) -> None:
        """Make a batch ours: the producer's own identity is replaced when it is sent first."""
        identity = self._identity
        set_state = builder._set_producer_state  # noqa: SLF001  all batches come by here

        def ours(*_: int) -> None:
            # Called once. Without this a batch refers to itself, and 0.4 MB wait for the collector.
            del builder._set_producer_state  # noqa: SLF001  as above
            set_state(*identity, self._next_sequence(builder.record_count()))

        builder._set_producer_state = ours  # noqa: SLF001

    def _next_sequence(self, records: int) -> int:
        sequence = self._sequence
        self._sequence = (sequence + records) % 2**31
        return sequence

    async def _init_producer_id(self) -> tuple[int, int]:
        client = self._client
        node = await client.coordinator_lookup(CoordinationType.TRANSACTION, self._id)
        request = _InitProducerId(self._id, *self._identity)
        answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
        if answer.error_code in (_PRODUCER_FENCED, InvalidProducerEpoch.errno):
            raise ProducerFenced
        error: type[KafkaError] = for_code(answer.error_code)
        if answer.error_code:
            raise error
        return answer.producer_id, answer.producer_epoch
