"""`GET /v1/items`: what the catalogue says of items, for pages that have their ids."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Response
from pydantic import StringConstraints

from features.events import MAX_ID_BYTES, Item
from streams.gateway.access import needs
from streams.gateway.catalog import Id
from streams.gateway.document import answers
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem

MOST_ITEMS = 100
"""Of one request: an address has room for so many ids."""


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalogue says of items: in the order asked for, without those it does not have."""

    items: tuple[Item, ...]


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""

    @app.get(
        "/v1/items/{item_id:path}",
        dependencies=[needs("read")],
        responses=answers(200, "Item", "The entry."),
        summary="Get an item",
        tags=["catalogue"],
    )
    async def get_item(item_id: Id) -> Response:
        """Return what the catalogue says of an item, as far as the workers have read it.

        As they have cleaned it, and without `embedding`.
        """
        parts.check_read()
        (item,) = parts.shelf.find([item_id])
        if item is None:
            raise Problem(404, f"the catalogue has no item {item_id!r}")
        return Response(msgspec.json.encode(item), media_type="application/json")

    @app.get(
        "/v1/items",
        dependencies=[needs("read")],
        responses=answers(200, "Items", "The entries."),
        summary="Get several items",
        tags=["catalogue"],
    )
    async def get_items(
        item_ids: Annotated[
            list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_BYTES)]],
            Query(alias="id", min_length=1, max_length=MOST_ITEMS, description="Ids."),
        ],
    ) -> Response:
        """Return what the catalogue says of up to 100 items, as one request for each would."""
        parts.check_read()
        found = parts.shelf.find(list(dict.fromkeys(item_ids)))
        items = Items(items=tuple(item for item in found if item is not None))
        return Response(msgspec.json.encode(items), media_type="application/json")
