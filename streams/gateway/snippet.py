"""`GET /headrace.js`: what a shop's pages load to collect clicks, searches and purchases."""

import gzip
from pathlib import Path

from fastapi import FastAPI, Request, Response

from streams.gateway.document import text
from streams.gateway.parts import Parts

_SCRIPT = Path(__file__).with_name("headrace.js")
_KEPT_S = 3600


def as_served() -> bytes:
    """Return the script without its indentation, a tenth of it; no text in it has two lines."""
    return b"\n".join(line.strip() for line in _SCRIPT.read_bytes().splitlines())


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route; whoever has a page may load it."""
    del parts
    plain = as_served()
    packed = gzip.compress(plain, mtime=0)
    headers = {"Cache-Control": f"public, max-age={_KEPT_S}", "Vary": "Accept-Encoding"}

    @app.get(
        "/headrace.js",
        responses=text("The script.", "text/javascript"),
        summary="The script for a shop's pages",
        tags=["events"],
    )
    async def script(request: Request) -> Response:
        """Return the script; docs/gateway.md says how a page uses it."""
        if "gzip" in request.headers.get("accept-encoding", ""):
            more = headers | {"Content-Encoding": "gzip"}
            return Response(packed, headers=more, media_type="text/javascript")
        return Response(plain, headers=headers, media_type="text/javascript")
