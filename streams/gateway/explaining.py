"""`GET /v1/users/{id}/explain/{item}`: what a ranking makes of an item for a user."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Response

from streams.explain import Unknown, explain_item
from streams.gateway.access import needs
from streams.gateway.catalog import Id
from streams.gateway.document import answers
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route."""
    alone = asyncio.Lock()

    @app.get(
        "/v1/users/{user_id:path}/explain/{item_id:path}",
        dependencies=[needs("admin")],
        responses=answers(200, "Explanation", "The values of this moment."),
        summary="Explain a ranking",
        tags=["lists"],
    )
    async def explain(
        user_id: Id,
        item_id: Id,
        query: Annotated[
            str, Query(max_length=256, description="Of a search that the list answers.")
        ] = "",
    ) -> Response:
        """Return what a list for a user would make of an item, feature by feature.

        As `headrace features explain`. It reads the workers' topics afresh, which takes seconds:
        for people who look into something, one at a time.
        """
        parts.check_read()
        if alone.locked():
            busy = "somebody else has something explained: try again in a few seconds"
            raise Problem(503, busy, headers={"Retry-After": "5"})
        async with alone:
            try:
                found = await asyncio.to_thread(
                    explain_item, parts.settings, user_id, item_id, None, query
                )
            except Unknown as error:
                raise Problem(404, str(error)) from error
        return Response(msgspec.json.encode(found), media_type="application/json")
