"""Send events and items from an app: checked before they leave, and no failure goes unheard."""

import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

import msgpack
import msgspec

from features.events import Click, Event, Filters, Item, Purchase, Search
from streams.clock import now_ms
from streams.codec import Wire, decode_event, decode_item
from streams.delivery import Delivery, DeliveryError
from streams.settings import Settings


class EventProducer:
    """Publishes clicks, searches, purchases and catalogue items.

    What it accepts, the worker accepts: each event passes the worker's own decoder before it is
    sent, and a `streams.codec.BadEvent` tells what is wrong. Sending does not wait; a delivery that
    fails raises `DeliveryError` at the next call, at `flush`, or when the `with` block ends.
    Idempotence is on: a retry inside the client neither doubles nor reorders events. Threads may
    share a producer.

    Example:
        with EventProducer(Settings(broker="localhost:9092")) as producer:
            search_id = producer.search("ann", "red mug")
            producer.click("ann", "mug-1", search_id=search_id, position=1)

    Args:
        settings: broker, security, topic names, compression; from the environment if left out.
        wire: how events are written; workers read both.
        unconfirmed: how many events may be on their way; sending waits while there are more.
        linger_ms: how long an event may wait for others to share its request.
        timeout_s: how long to try to deliver, and to wait for room, for a topic and in a flush.

    Raises:
        DeliveryError: no broker answers within `timeout_s`.
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
        self._event_topics = settings.topics.events
        self._delivery = Delivery(
            settings, unconfirmed=unconfirmed, linger_ms=linger_ms, timeout_s=timeout_s
        )

    def click(
        self,
        user_id: str,
        item_id: str,
        *,
        event_id: str | None = None,
        ts: int | None = None,
        session_id: str | None = None,
        search_id: str | None = None,
        position: int | None = None,
        price: float | None = None,
        context: dict[str, Any] | None = None,
    ) -> str:
        """Send that a user opened an item's page; return the event's id.

        Args:
            user_id: whose it is; a user's events stay in order.
            item_id: what was opened.
            event_id: unique to the action and the same when it is sent again; made if left out.
            ts: event time in ms since 1970 UTC; now if left out.
            session_id: the visit, where the app knows one.
            search_id: event_id of the search whose results the click came from.
            position: place in the list that was clicked, from 1.
            price: the price that was shown.
            context: device, country and the like.
        """
        event_id, ts = event_id or new_id(), now_ms() if ts is None else ts
        self.send(
            Click(
                event_id=event_id,
                user_id=user_id,
                item_id=item_id,
                ts=ts,
                session_id=session_id,
                search_id=search_id,
                position=position,
                price=price,
                context=context,
            )
        )
        return event_id

    def search(
        self,
        user_id: str,
        query: str,
        *,
        event_id: str | None = None,
        ts: int | None = None,
        session_id: str | None = None,
        candidates: Iterable[str] | None = None,
        filters: Filters | None = None,
        k: int | None = None,
        context: dict[str, Any] | None = None,
    ) -> str:
        """Send that a user searched; return the event's id, which is the clicks' `search_id`.

        Args:
            user_id: whose it is.
            query: what was typed.
            event_id: as in `click`.
            ts: as in `click`.
            session_id: as in `click`.
            candidates: ids to rank, where the app has found them itself.
            filters: what the list is limited to, such as `Filters(category="mugs")`.
            k: how long a list is wanted.
            context: as in `click`.
        """
        event_id, ts = event_id or new_id(), now_ms() if ts is None else ts
        self.send(
            Search(
                event_id=event_id,
                user_id=user_id,
                query=query,
                ts=ts,
                session_id=session_id,
                candidates=None if candidates is None else tuple(candidates),
                filters=filters,
                k=k,
                context=context,
            )
        )
        return event_id

    def purchase(
        self,
        user_id: str,
        item_id: str,
        *,
        event_id: str | None = None,
        ts: int | None = None,
        session_id: str | None = None,
        quantity: int | None = None,
        price: float | None = None,
        currency: str | None = None,
        context: dict[str, Any] | None = None,
    ) -> str:
        """Send that a user bought an item; return the event's id.

        Args:
            user_id: whose it is.
            item_id: what was bought; send one event for each line of an order.
            event_id: as in `click`.
            ts: as in `click`.
            session_id: as in `click`.
            quantity: how many.
            price: of one, in `currency`.
            currency: ISO 4217 code.
            context: as in `click`.
        """
        event_id, ts = event_id or new_id(), now_ms() if ts is None else ts
        self.send(
            Purchase(
                event_id=event_id,
                user_id=user_id,
                item_id=item_id,
                ts=ts,
                session_id=session_id,
                quantity=quantity,
                price=price,
                currency=currency,
                context=context,
            )
        )
        return event_id

    def item(
        self,
        item_id: str,
        *,
        title: str | None = None,
        description: str | None = None,
        category: Iterable[str] = (),
        brand: str | None = None,
        price: float | None = None,
        tags: Iterable[str] = (),
        attributes: dict[str, Any] | None = None,
        image_url: str | None = None,
        in_stock: bool = True,
        available_from: int | None = None,
        available_to: int | None = None,
    ) -> None:
        """Send a catalogue entry; it replaces all that the catalogue said of the item.

        Args:
            item_id: the id that events use.
            title: what shoppers read and search for.
            description: more words to find it by.
            category: path from the widest to the narrowest.
            brand: who makes it.
            price: of one.
            tags: more words to find it by.
            attributes: colour, size and the like; text, numbers and truth values.
            image_url: what a page shows.
            in_stock: items out of stock are not recommended.
            available_from: ms since 1970 UTC; not recommended before.
            available_to: ms since 1970 UTC; not recommended after.
        """
        self.send(
            Item(
                item_id=item_id,
                title=title,
                description=description,
                category=tuple(category),
                brand=brand,
                price=price,
                tags=tuple(tags),
                attributes=attributes or {},
                image_url=image_url,
                in_stock=in_stock,
                available_from=available_from,
                available_to=available_to,
            )
        )

    def delete_item(self, item_id: str) -> None:
        """Take an item out of the catalogue, so that it is no longer recommended."""
        key = item_id.encode()
        decode_item(key, None)
        self._delivery.send(self._topics.catalog, key, None, f"deletion of {item_id}")

    def send(self, event: Event | Item) -> None:
        """Send one event or catalogue entry under its key.

        Raises:
            BadEvent: the worker would refuse it; nothing was sent.
            DeliveryError: this one cannot be sent, or an earlier one was not confirmed.
        """
        payload = self._pack(msgspec.to_builtins(event))
        # str(): an id of a wrong type is for the decoder to refuse, with its reason.
        if isinstance(event, Item):
            key = str(event.item_id).encode()
            decode_item(key, payload)
            self._delivery.send(self._topics.catalog, key, payload, event.item_id)
        else:
            key = str(event.user_id).encode()
            decode_event(event.kind, key, payload, now_ms())
            self._delivery.send(self._event_topics[event.kind], key, payload, event.event_id)

    def send_many(self, events: Iterable[Event | Item]) -> int:
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


def new_id() -> str:
    """Return an id that no other event has."""
    return uuid.uuid4().hex
