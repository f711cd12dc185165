"""Items put into the catalogue and taken out, and users forgotten."""

from typing import Annotated

from fastapi import FastAPI, Path, Request, Response

from features.events import MAX_ID_BYTES, Forget
from streams.codec import BadEvent, decode_forget, decode_item
from streams.gateway.access import needs
from streams.gateway.bodies import body_of, checked, read_map
from streams.gateway.document import answers, body
from streams.gateway.parts import Parts
from streams.gateway.problems import invalid

Id = Annotated[str, Path(min_length=1, max_length=MAX_ID_BYTES)]


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""
    confirmed = parts.meter.events

    @app.put(
        "/v1/items/{item_id:path}",
        dependencies=[needs("admin")],
        openapi_extra=body("Item"),
        responses=answers(204, None, "Kafka has the entry."),
        status_code=204,
        summary="Put an item",
        tags=["catalogue"],
    )
    async def put_item(item_id: Id, request: Request) -> Response:
        """Replace all that the catalogue says of an item."""
        parts.check_read()
        fields = {"item_id": item_id} | read_map(await body_of(request))
        try:
            if fields["item_id"] != item_id:
                told = f"`item_id` is {fields['item_id']!r}, but the address names {item_id!r}"
                raise BadEvent("key_mismatch", told)
            item = checked(fields | {"type": "item"}, parts.settings.domains)
        except BadEvent as error:
            raise refused(parts, error) from error
        await parts.outbox.send([item])
        confirmed.labels("item").inc()
        return Response(status_code=204)

    @app.delete(
        "/v1/items/{item_id:path}",
        dependencies=[needs("admin")],
        responses=answers(204, None, "Kafka has the deletion."),
        status_code=204,
        summary="Delete an item",
        tags=["catalogue"],
    )
    async def delete_item(item_id: Id) -> Response:
        """Take an item out of the catalogue, known or not: no list shows it any more."""
        parts.check_read()
        try:
            decode_item(item_id.encode(), None)
        except BadEvent as error:
            raise refused(parts, error) from error
        await parts.outbox.delete_item(item_id)
        confirmed.labels("item_deletion").inc()
        return Response(status_code=204)

    @app.delete(
        "/v1/users/{user_id:path}",
        dependencies=[needs("admin")],
        responses=answers(202, None, "Kafka has the request; the workers carry it out."),
        status_code=202,
        summary="Forget a user",
        tags=["privacy"],
    )
    async def forget_user(user_id: Id) -> Response:
        """Have all that is known of a user deleted; the user's list is gone at once."""
        parts.check_read()
        try:
            decode_forget(user_id.encode(), None)
        except BadEvent as error:
            raise refused(parts, error) from error
        await parts.outbox.send([Forget(user_id=user_id)])
        parts.lists.drop(user_id)
        confirmed.labels("forget").inc()
        return Response(status_code=202)


def refused(parts: Parts, error: BadEvent) -> Exception:
    """Count what is not valid, and return the problem."""
    parts.meter.refused.labels(error.reason).inc()
    return invalid(error)
