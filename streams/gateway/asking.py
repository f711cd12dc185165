"""`POST /v1/rank` and `POST /v1/search`: asked through the log, answered by the workers in time.

A request becomes a search event. The workers learn it, rank, and send the list to the topic of all
lists, where it is awaited by its id. What does not come in time is answered by popularity.
"""

import asyncio
import logging
from functools import partial
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from msgspec.structs import replace

from features.events import Filters, Search
from features.shown import answer_to
from streams.clock import now_ms
from streams.codec import BadEvent
from streams.filters import limits_of
from streams.gateway.access import needs
from streams.gateway.bodies import body_of, checked, read_map
from streams.gateway.catalog import refused
from streams.gateway.document import answers, body
from streams.gateway.lists import Shown, by_popularity, known_domain, told
from streams.gateway.parts import Parts
from streams.gateway.problems import Problem
from streams.producer import new_id

MOST_ASKED = 4_096
"""Searches on their way to Kafka, which outlive the requests that they are of."""

log = logging.getLogger(__name__)


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the routes."""

    @app.post(
        "/v1/rank",
        dependencies=[needs("read")],
        openapi_extra=body("RankRequest"),
        responses=answers(200, "Shown", "The candidates that pass the filters, in order."),
        summary="Put candidates in order",
        tags=["lists"],
    )
    async def rank(request: Request) -> Response:
        """Rank up to 1,000 candidates for a user and, where there is one, a query.

        The workers do it, and learn the search. Where they do not answer within
        `HEADRACE_GATEWAY_DEADLINE_MS`, the candidates come in order of popularity, and `source`
        says so.
        """
        fields = read_map(await body_of(request))
        fields.setdefault("query", "")
        if not fields.get("candidates"):
            problem = "`candidates` is missing or empty: name the items to rank"
            raise refused(parts, BadEvent("missing_field", problem))
        return await _answered(fields, parts)

    @app.post(
        "/v1/search",
        dependencies=[needs("read")],
        openapi_extra=body("SearchRequest"),
        responses=answers(200, "Shown", "What was found, in order."),
        summary="Search",
        tags=["lists"],
    )
    async def search(request: Request) -> Response:
        """Find and rank items for a user's query.

        As `/v1/rank`; in place of the workers' list, items whose words match come by how well
        they do.
        """
        fields = read_map(await body_of(request))
        fields.pop("candidates", None)
        return await _answered(fields, parts)


async def _answered(fields: dict[str, Any], parts: Parts) -> Response:
    parts.check_read()
    fields |= {"type": "search", "event_id": new_id(), "ts": now_ms()}
    try:
        event = checked(fields, parts.settings.domains)
    except BadEvent as error:
        raise refused(parts, error) from error
    assert isinstance(event, Search)
    if len(parts.asked) >= MOST_ASKED:
        detail = f"Kafka has not confirmed {MOST_ASKED} searches yet: try again soon"
        raise Problem(503, detail, headers={"Retry-After": "1"})
    shown = await _asked(event, parts)
    parts.meter.answers.labels("search", shown.source).inc()
    return Response(msgspec.json.encode(shown), media_type="application/json")


async def _asked(event: Search, parts: Parts) -> Shown:
    """Return the workers' list, or what stands in for it."""
    shown = Shown(
        user_id=event.user_id,
        surface="search",
        source="popular",
        items=(),
        domain=known_domain(event.domain, parts),
        search_id=event.event_id,
    )
    with parts.answers.expecting(answer_to(event).rec_id) as made:
        sending = asyncio.create_task(parts.outbox.send([event]))  # it goes on after the deadline
        parts.asked.add(sending)
        sending.add_done_callback(partial(_sent, parts))
        try:
            async with asyncio.timeout(parts.settings.gateway_deadline_ms / 1000):
                answer = await made
        except TimeoutError:
            return replace(shown, items=by_popularity(_instead(event, parts)))
    return told(replace(shown, source="worker", items=answer.items), answer)


def _sent(parts: Parts, sending: asyncio.Task[None]) -> None:
    parts.asked.discard(sending)
    if sending.cancelled():
        return
    if (error := sending.exception()) is not None:
        log.warning("a search is lost: %s", error)
    else:
        parts.meter.events.labels("search").inc()


def _instead(event: Search, parts: Parts) -> list[str]:
    """Return the ids of what is shown where the workers are late."""
    filters = event.filters or Filters()
    order = parts.popular.order(event.domain, limits_of(filters))
    if event.candidates is not None:
        found = parts.popular.sorted(order, event.candidates)
    elif event.query:
        found = list(parts.popular.matching(order, event.query))
    else:
        found = list(order.item_ids)
    hidden = frozenset(filters.exclude or ())
    return [one for one in found if one not in hidden][: event.k or parts.settings.k]
