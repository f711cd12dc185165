"""`GET /v1/users/{id}/explain/{item}`: what a ranking makes of an item for a user."""

from typing import Annotated

import msgspec
from fastapi import FastAPI, Query, Response

from streams.explain import explain_item
from streams.gateway.access import needs
from streams.gateway.catalog import Id
from streams.gateway.document import answers
from streams.gateway.parts import Parts


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route."""

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
        found = await parts.lookups.run(explain_item, parts.settings, user_id, item_id, None, query)
        return Response(msgspec.json.encode(found), media_type="application/json")
