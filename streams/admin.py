"""Create, check and delete the topics of an installation."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from streams import security
from streams.settings import PREFIX, Settings
from streams.topics import Topics, TopicSpec

T = TypeVar("T")

_CONNECTED_WITHIN_MS = 10_000
_ANSWER_WITHIN_MS = 30_000
_PATIENCE_S = 15.0  # with nodes that come and go; a leader is elected anew within that time
_RETRY_S = 0.2


class BrokerUnreachable(ConnectionError):
    """Kafka does not answer, or not to us; the message says what to look at."""


class WrongTopics(ValueError):
    """Topics are missing or laid out differently from the settings; the message has the cure."""


def create(settings: Settings) -> list[str]:
    """Create the topics that are missing, and check the others; return the names created.

    Raises:
        WrongTopics: a topic is there but laid out differently, or Kafka refuses to create one.
        BrokerUnreachable: nobody answers at `settings.broker`.
    """
    return _by_admin(settings, partial(_create, settings.topic_specs))


def check(settings: Settings) -> None:
    """Make sure that every topic is there and laid out as the settings say.

    Raises:
        WrongTopics: one is not; the message names each, what was found and what to do.
        BrokerUnreachable: nobody answers at `settings.broker`.
    """
    _by_admin(settings, partial(_check, settings.topic_specs))


def delete(settings: Settings) -> list[str]:
    """Delete the topics of this installation with all they hold; return their names.

    Raises:
        WrongTopics: Kafka refuses to delete one.
        BrokerUnreachable: nobody answers at `settings.broker`.
    """
    return _by_admin(settings, partial(_delete, settings.topics))


def config_of(settings: Settings, topic: str) -> dict[str, str]:
    """Return what Kafka says of a topic's settings, by their names there.

    Raises:
        BrokerUnreachable: nobody answers at `settings.broker`.
    """
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)

    def ask(admin: Any) -> dict[str, str]:
        found = admin.describe_configs([resource], config_filter="all")["topic"][topic]
        return {name: told["value"] for name, told in found.items()}

    return _by_admin(settings, ask)


@contextmanager
def connect(settings: Settings) -> Iterator[Any]:
    """Yield kafka-python's admin client, connected.

    Raises:
        BrokerUnreachable: nobody answers, or whoever answers does not let us in.
    """
    try:
        client = KafkaAdminClient(
            client_id=settings.app_id,
            bootstrap_timeout_ms=_CONNECTED_WITHIN_MS,
            request_timeout_ms=_ANSWER_WITHIN_MS,
            **security.connection(settings),
        )
    except KafkaError as error:
        raise BrokerUnreachable(
            f"no Kafka at {settings.broker} by {settings.security_protocol}: {error}\n"
            f"Start one by `headrace broker start`, or check {PREFIX}BROKER and, where it asks who "
            f"calls, {PREFIX}SECURITY_PROTOCOL, {PREFIX}SASL_* and {PREFIX}SSL_*."
        ) from error
    try:
        yield client
    finally:
        client.close()


def _by_admin(settings: Settings, deed: Callable[[Any], T]) -> T:
    """Do what may be done twice, and do it again while a broker is away or on its way back.

    The client picks a node by chance, and may pick the lost one several times in a row.
    """
    give_up_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with connect(settings) as admin:
                return deed(admin)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > give_up_s:
                raise BrokerUnreachable(f"Kafka at {settings.broker} failed: {error}") from error
        time.sleep(_RETRY_S)


def _create(specs: Sequence[TopicSpec], admin: Any) -> list[str]:
    present = set(admin.list_topics())
    missing = {
        spec.name: {
            "num_partitions": spec.partitions,
            "replication_factor": spec.replication,
            "configs": spec.config(),
        }
        for spec in specs
        if spec.name not in present
    }
    if missing:
        answer = admin.create_topics(missing, timeout_ms=_ANSWER_WITHIN_MS, raise_errors=False)
        # Another worker may be faster; what it made is checked like any other topic.
        _refuse(_complaints(answer["topics"], "create", TopicAlreadyExistsError))
        _wait_for_leaders(admin, [spec for spec in specs if spec.name in missing])
    _refuse(_differences(admin, specs))
    return list(missing)


def _wait_for_leaders(admin: Any, specs: Sequence[TopicSpec]) -> None:
    """Wait until each partition's leader serves it, so that nobody's first record is refused."""
    admin.wait_for_topics([spec.name for spec in specs], timeout_ms=_ANSWER_WITHIN_MS)
    # By then a leader is named, but may not have heard of it: only its own answer tells.
    places = {
        TopicPartition(spec.name, number): OffsetSpec.LATEST
        for spec in specs
        for number in range(spec.partitions)
    }
    admin.list_partition_offsets(places, timeout_ms=_ANSWER_WITHIN_MS)


def _check(specs: Sequence[TopicSpec], admin: Any) -> None:
    present = set(admin.list_topics())
    missing = [
        f"{spec.name}: missing, wanted {spec.partitions} partition(s); run `headrace topics create`"
        for spec in specs
        if spec.name not in present
    ]
    _refuse(missing + _differences(admin, [spec for spec in specs if spec.name in present]))


def _delete(topics: Topics, admin: Any) -> list[str]:
    present = sorted(set(admin.list_topics()) & set(topics))
    if present:
        answer = admin.delete_topics(present, timeout_ms=_ANSWER_WITHIN_MS, raise_errors=False)
        # A topic that went a moment ago may still be listed.
        _refuse(_complaints(answer["topics"], "delete", UnknownTopicOrPartitionError))
    return present


def _complaints(
    answers: Sequence[Mapping[str, Any]], deed: str, pardoned: type[KafkaError]
) -> list[str]:
    return [
        f"{topic['name']}: Kafka refuses to {deed} it: {topic['error_message']}"
        for topic in answers
        if topic["error_code"] and for_code(topic["error_code"]) is not pardoned
    ]


def _differences(admin: Any, wanted: Sequence[TopicSpec]) -> list[str]:
    """Compare topics that exist with what they must be."""
    if not wanted:
        return []
    names = [spec.name for spec in wanted]
    partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    found = []
    for spec in wanted:
        if partitions[spec.name] != spec.partitions:
            found.append(
                f"{spec.name}: has {partitions[spec.name]} partition(s), wanted {spec.partitions}; "
                f"set {PREFIX}PARTITIONS to what it has, or choose another {PREFIX}TOPIC_PREFIX "
                "(more partitions would send a user's events to a worker without the user's row)"
            )
        cleanup = configs[spec.name]["cleanup.policy"]["value"]
        if set(cleanup.split(",")) != set(spec.cleanup.split(",")):
            found.append(
                f"{spec.name}: cleanup.policy is {cleanup}, wanted {spec.cleanup}; change it with "
                f"`kafka-configs --alter --topic {spec.name} "
                f"--add-config cleanup.policy=[{spec.cleanup}]`"
            )
    return found


def _refuse(complaints: Sequence[str]) -> None:
    if complaints:
        raise WrongTopics("\n".join(complaints))
