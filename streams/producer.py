"""Send events and items from an app: checked before they leave, and no failure goes unheard."""

import uuid
from collections.abc import Iterable
from typing import Any

from features.events import Click, Filters, Forget, Item, Purchase, Search
from streams.clock import now_ms
from streams.codec import decode_item
from streams.sending import Sender


class EventProducer(Sender):
    """Publishes clicks, searches, purchases, catalogue items and requests to forget a user.

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
        consent: bool | None = None,
        domain: str | None = None,
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
            consent: False counts it for the item and stores nothing of it with the user.
            domain: of the items in the list that answers; left out, that of the item.
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
                consent=consent,
                domain=domain,
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
        consent: bool | None = None,
        domain: str | None = None,
    ) -> str:
        """Send that a user searched; return the event's id, which is the clicks' `search_id`.

        Args:
            user_id: whose it is.
            query: what was typed; "" for what a click would be answered with.
            event_id: as in `click`.
            ts: as in `click`.
            session_id: as in `click`.
            candidates: ids to rank, where the app has found them itself.
            filters: what the list is limited to, such as `Filters(category="mugs")`.
            k: how long a list is wanted.
            context: as in `click`.
            consent: as in `click`.
            domain: of the items in the list; left out, the first of the setting `domains`.
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
                consent=consent,
                domain=domain,
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
        consent: bool | None = None,
        domain: str | None = None,
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
            consent: as in `click`.
            domain: as in `click`.
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
                consent=consent,
                domain=domain,
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
        domain: str | None = None,
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
            domain: one of the setting `domains`; left out, its first.
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
                domain=domain,
            )
        )

    def delete_item(self, item_id: str) -> None:
        """Take an item out of the catalogue, so that it is no longer recommended."""
        key = item_id.encode()
        decode_item(key, None)
        self._delivery.send(self._topics.catalog, key, None, f"deletion of {item_id}")

    def forget(self, user_id: str) -> None:
        """Ask the workers to delete all that they know of a user, within a minute while they run.

        What the user does later starts from nothing, or is refused: see `docs/privacy.md`.
        """
        self.send(Forget(user_id=user_id))


def new_id() -> str:
    """Return an id that no other event has."""
    return uuid.uuid4().hex
