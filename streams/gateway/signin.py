"""`/signin`: a person shows a key once, and the gateway's pages know it by a cookie.

The cookie holds the key itself: no script can read it, it goes to this gateway alone, and only
requests of its own pages count (`streams.gateway.limits.own_page`). So any gateway of several knows
it, and nothing is kept here.
"""

import re
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from streams.gateway.access import SignIn
from streams.gateway.limits import COOKIE, own_page
from streams.gateway.pages import HEADERS, page, rooms
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem

KEPT_S = 12 * 3600
"""A working day; then the key is asked for again."""
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")
"""A path of this gateway: browsers read `//` and `/\\` as another host, and skip control marks."""
_UNKNOWN = "This gateway does not know that key. Ask its operators for one (headrace gateway-key)."


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes, where there is a page to sign in to."""
    doors = rooms(parts.settings)
    if not doors:
        return
    home = next(iter(doors))

    @app.exception_handler(SignIn)
    async def denied(request: Request, error: SignIn) -> Response:
        if error.refused:
            return page(parts, "signin.html", 403, to=request.url.path, wrong=error.refused)
        where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return _to(f"/signin?to={quote(where, safe='')}")

    @app.get("/signin", include_in_schema=False)
    async def show(to: str = home) -> Response:
        if parts.keyring.open:
            return _to(local(to, home))
        return page(parts, "signin.html", to=local(to, home), wrong="")

    @app.post("/signin", include_in_schema=False)
    async def sign_in(request: Request) -> Response:
        check_own(request)
        fields = parse_qs((await request.body()).decode(errors="replace"))
        to = local(fields.get("to", [home])[0], home)
        secret = fields.get("key", [""])[0].strip()
        if parts.keyring.find(secret) is None:
            return page(parts, "signin.html", 401, to=to, wrong=_UNKNOWN)
        answer = _to(to)
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=KEPT_S,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @app.post("/signout", include_in_schema=False)
    async def sign_out(request: Request) -> Response:
        check_own(request)
        answer = _to(f"/signin?to={home}")
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer


def local(to: str, otherwise: str) -> str:
    """Return a path of this gateway to go on to; what might be elsewhere is replaced."""
    return to if _LOCAL.fullmatch(to) else otherwise


def _to(path: str) -> Response:
    return RedirectResponse(path, 303, HEADERS)


def check_own(request: Request) -> None:
    """Raise `Problem` where another site's page has sent the form: it may not choose who we are."""
    if not own_page(request.method, request.headers):
        raise Problem(403, "another site's page sent this form: open the page here, and send it")
