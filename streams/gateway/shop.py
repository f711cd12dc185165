"""`/shop`: the catalogue as a small shop, to feel by hand what the system does.

It is a shop as others would build it on this gateway: the pages come from here, but all that they
show of lists and searches, and all that they send, goes through `/headrace.js` and `/v1`, in the
visitor's browser (`assets/shop.js`).
"""

import re
import secrets
from typing import Annotated, Any, Final

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import RedirectResponse

from features.cleaning import MAX_QUERY
from streams.gateway.access import page_needs
from streams.gateway.catalog import Id
from streams.gateway.pages import page
from streams.gateway.parts import Parts
from streams.gateway.signin import check_own
from streams.words import TO_THE_SHOPPER

VISITOR: Final = "headrace-visitor"
"""The cookie by which a browser is one visitor."""
KEPT_S: Final = 30 * 24 * 3600
_VISITOR = re.compile(r"visitor-[0-9a-f]{12}")
_WORDS = msgspec.json.encode(TO_THE_SHOPPER).decode()


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes, where there is to be a shop."""
    if not parts.settings.gateway_shop:
        return
    allowed = [page_needs("read", "write")]

    @app.get("/shop", dependencies=allowed, include_in_schema=False)
    async def home(request: Request) -> Response:
        return _shown(request, parts, "shop_home.html")

    @app.get("/shop/search", dependencies=allowed, include_in_schema=False)
    async def search(
        request: Request, q: Annotated[str, Query(max_length=MAX_QUERY)] = ""
    ) -> Response:
        return _shown(request, parts, "shop_search.html", query=q.strip())

    @app.get("/shop/basket", dependencies=allowed, include_in_schema=False)
    async def basket(request: Request) -> Response:
        return _shown(request, parts, "shop_basket.html")

    @app.get("/shop/items/{item_id:path}", dependencies=allowed, include_in_schema=False)
    async def item(request: Request, item_id: Id) -> Response:
        parts.check_read()
        (found,) = parts.shelf.find([item_id])
        if found is None:
            return _shown(request, parts, "shop_missing.html", 404, item_id=item_id)
        return _shown(request, parts, "shop_item.html", item=found)

    @app.post("/shop/visitor", dependencies=allowed, include_in_schema=False)
    async def somebody_else(request: Request) -> Response:
        check_own(request)
        return _known(request, RedirectResponse("/shop", 303), _new_visitor())


def _shown(
    request: Request, parts: Parts, template: str, status: int = 200, **values: Any
) -> Response:
    """Return a page of the shop for its visitor, a new one where the browser names none."""
    given = request.cookies.get(VISITOR, "")
    visitor = given if _VISITOR.fullmatch(given) else _new_visitor()
    known = {"visitor": visitor, "words": _WORDS, "query": ""}
    return _known(request, page(parts, template, status, **known | values), visitor)


def _new_visitor() -> str:
    return f"visitor-{secrets.token_hex(6)}"


def _known(request: Request, answer: Response, visitor: str) -> Response:
    answer.set_cookie(
        VISITOR,
        visitor,
        max_age=KEPT_S,
        path="/shop",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer
