"""`/healthz`, `/readyz`, `/metrics`: how the gateway is."""

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.gateway.access import needs
from streams.gateway.document import text
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem

_NOT_KEPT = {"Cache-Control": "no-store"}


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/healthz", responses=text("It is alive."), summary="Alive?", tags=["operation"])
    async def healthz() -> Response:
        """Tell whether the gateway is alive: it is, where it answers."""
        return PlainTextResponse("ok\n", headers=_NOT_KEPT)

    @app.get("/readyz", responses=text("It answers."), summary="Ready?", tags=["operation"])
    async def readyz() -> Response:
        """Tell whether requests are answered: Kafka answers, and the copy of lists is whole."""
        if wrong := parts.obstacles():
            raise Problem(503, "; ".join(wrong), headers={"Retry-After": "1"})
        return PlainTextResponse("ok\n", headers=_NOT_KEPT)

    @app.get(
        "/metrics",
        dependencies=[needs("read")],
        responses=text("Metrics, as Prometheus reads them."),
        summary="Metrics",
        tags=["operation"],
    )
    async def metrics() -> Response:
        """Return the gateway's metrics."""
        return Response(generate_latest(parts.meter.registry), media_type=CONTENT_TYPE_LATEST)
