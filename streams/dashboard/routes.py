"""`/dashboard`: the page, what it is told, and what people look up through it."""

import asyncio
import gzip
from typing import Literal

import msgspec
from fastapi import FastAPI, Request, Response

from streams.dashboard import files
from streams.dashboard.collector import Collector
from streams.dashboard.inspecting import looked_at
from streams.dashboard.letters import newest_letters
from streams.dashboard.view import View
from streams.gateway.access import needs, page_needs
from streams.gateway.catalog import Id
from streams.gateway.pages import page
from streams.gateway.parts import Parts
from streams.words import OF_THE_CUSTOMER

Window = Literal["5m", "1h", "24h"]
_WORDS = msgspec.json.encode(OF_THE_CUSTOMER).decode()
_JSON = "application/json"
_FRESH = {"Cache-Control": "no-cache"}
_NOT_KEPT = {"Cache-Control": "no-store"}


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes, and what they show to what the gateway keeps going."""
    collector = Collector(parts.settings, parts.index)
    view = View(collector)

    async def collect() -> None:
        collector.start()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(collector.stop)

    parts.beside.append(collect)
    folder = files.attach(app)

    @app.get("/dashboard", dependencies=[page_needs("read")], include_in_schema=False)
    async def dashboard() -> Response:
        return page(parts, "dashboard.html", files=folder, words=_WORDS)

    @app.get("/dashboard/data", dependencies=[needs("read")], include_in_schema=False)
    async def data(request: Request, window: Window = "1h") -> Response:
        made = view.ready(window)
        if made is None:
            made = await asyncio.to_thread(view.made, window)
        number, document = made
        headers = _FRESH | {"ETag": f'"{window}-{number}"', "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
        else:
            document = gzip.decompress(document)
        return Response(document, headers=headers, media_type=_JSON)

    @app.get("/dashboard/dead-letters", dependencies=[needs("admin")], include_in_schema=False)
    async def dead_letters() -> Response:
        found = await parts.lookups.run(newest_letters, parts.settings)
        return Response(msgspec.json.encode(found), headers=_NOT_KEPT, media_type=_JSON)

    @app.get(
        "/dashboard/users/{user_id:path}", dependencies=[needs("admin")], include_in_schema=False
    )
    async def user(user_id: Id) -> Response:
        parts.check_read()
        found = await looked_at(parts, user_id)
        return Response(msgspec.json.encode(found), headers=_NOT_KEPT, media_type=_JSON)
