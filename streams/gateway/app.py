"""The gateway as an ASGI app: routes, limits, errors, and its document."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from streams.delivery import DeliveryError
from streams.explain import Explanation
from streams.gateway import (
    asking,
    catalog,
    document,
    events,
    explaining,
    items,
    lists,
    operation,
    pages,
    problems,
    shop,
    signin,
    snippet,
)
from streams.gateway.limits import Gate
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem, response_of
from streams.settings_gateway import origins_of

log = logging.getLogger(__name__)

_ROUTES = (
    events,
    lists,
    asking,
    explaining,
    catalog,
    items,
    operation,
    snippet,
    pages,
    signin,
    shop,
)


def build(parts: Parts) -> FastAPI:
    """Return the app; whoever serves it keeps `parts.run()` going beside."""
    app = FastAPIOffline(title="Headrace gateway", redoc_url=None, default_response_class=Response)
    problems.install(app)

    @app.exception_handler(DeliveryError)
    async def unconfirmed(_: Request, error: DeliveryError) -> Response:
        log.warning("not confirmed: %s", error)
        return response_of(Problem(503, str(error), headers={"Retry-After": "1"}))

    for each in _ROUTES:
        each.attach(app, parts)
    if parts.settings.gateway_dashboard:
        from streams.dashboard import routes  # what it needs, no other gateway pays for

        routes.attach(app, parts)
    document.install(app, events.Accepted, lists.Shown, items.Items, Explanation)
    app.add_middleware(Gate, settings=parts.settings, keyring=parts.keyring, meter=parts.meter)
    if origins := origins_of(parts.settings.gateway_cors):
        app.add_middleware(
            CORSMiddleware,  # outside: a page may read why it was refused
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "If-None-Match"],
            expose_headers=["Age", "ETag", "Retry-After"],
        )
    return app
