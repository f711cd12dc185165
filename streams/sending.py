"""Send events to Kafka: checked before they leave, and no failure goes unheard."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Self

import msgpack
import msgspec

from features.events import Event, Forget, Item
from streams.clock import now_ms
from streams.codec import Wire, decode_event, decode_forget, decode_item
from streams.delivery import Delivery, DeliveryError
from streams.settings import Settings


class Sender:
    """Sends what it is given; `streams.producer.EventProducer` makes it of words.

    Args and errors: as there.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        wire: Wire = "msgpack",
        unconfirmed: int = 50_000,
        linger_ms: int = 5,
        timeout_s: float = 30.0,
    ) -> None:
        settings = settings or Settings()
        self._pack: Callable[[object], bytes] = (
            msgpack.packb if wire == "msgpack" else msgspec.json.encode
        )
        self._topics = settings.topics
        self._domains = settings.domains
        self._event_topics = settings.topics.events
        self._delivery = Delivery(
            settings, unconfirmed=unconfirmed, linger_ms=linger_ms, timeout_s=timeout_s
        )

    def send(self, event: Event | Item | Forget) -> None:
        """Send one event, catalogue entry or request under its key.

        Raises:
            BadEvent: the worker would refuse it; nothing was sent.
            DeliveryError: this one cannot be sent, or an earlier one was not confirmed.
        """
        payload = self._pack(msgspec.to_builtins(event))
        # str(): an id of a wrong type is for the decoder to refuse, with its reason.
        if isinstance(event, Item):
            key = str(event.item_id).encode()
            decode_item(key, payload, domains=self._domains)
            self._delivery.send(self._topics.catalog, key, payload, event.item_id)
        elif isinstance(event, Forget):
            key = str(event.user_id).encode()
            decode_forget(key, payload)
            self._delivery.send(self._topics.forget, key, payload, event.user_id)
        else:
            key = str(event.user_id).encode()
            decode_event(event.kind, key, payload, now_ms(), domains=self._domains)
            self._delivery.send(self._event_topics[event.kind], key, payload, event.event_id)

    def send_many(self, events: Iterable[Event | Item | Forget]) -> int:
        """Send events as they come, waiting only while too many are unconfirmed.

        Returns:
            How many were handed over; `flush` makes sure that they arrived.
        """
        count = 0
        for count, event in enumerate(events, start=1):  # noqa: B007  the last one is returned
            self.send(event)
        return count

    def flush(self) -> None:
        """Wait until everything that was sent is confirmed.

        Raises:
            DeliveryError: something was refused, or is still unconfirmed after `timeout_s`.
        """
        self._delivery.flush()

    def close(self) -> None:
        """Flush and close the connections; raises what `flush` raises, but closes all the same."""
        try:
            self.flush()
        finally:
            self._delivery.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # the block's own error matters more than what this one would say
            with suppress(DeliveryError):
                self.close()
