"""Make a kafka-python client that leaves nothing open when nobody answers."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from streams.security import connection
from streams.settings import Settings

Client = TypeVar("Client")


def connected(kind: Callable[..., Client], settings: Settings, **options: Any) -> Client:
    """Return a `KafkaProducer` or `KafkaConsumer` that has reached a broker.

    Args:
        kind: which of the two.
        settings: broker and security.
        options: the client's own. Topics are never created and metrics not kept.

    Raises:
        ConnectionError: no broker answers, or not to us.
    """
    opened: list[Any] = []

    def network(**given: Any) -> Any:
        opened.append(KafkaNetClient(**given))
        return opened[-1]

    try:
        return kind(
            kafka_client=network,
            allow_auto_create_topics=False,
            metrics_enabled=False,
            **connection(settings),
            **options,
        )
    except KafkaError as error:
        for client in opened:  # the client closes it only once it is whole itself
            client.close()
        raise ConnectionError(f"{settings.broker}: no broker answers: {error}") from error
