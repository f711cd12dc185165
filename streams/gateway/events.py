"""`POST /v1/events`: clicks, searches and purchases, one or many."""

import msgspec
from fastapi import FastAPI, Request, Response

from streams.gateway.access import needs
from streams.gateway.bodies import body_of, read_events
from streams.gateway.document import answers, body
from streams.gateway.parts import Parts
from streams.gateway.problems import Fault, Problem


class Accepted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of events.

    Attributes:
        accepted: How many Kafka has.
        event_ids: Of each event that was sent, in order; null for one that was refused.
        errors: What is wrong with those that were refused.
    """

    accepted: int
    event_ids: tuple[str | None, ...]
    errors: tuple[Fault, ...] = ()


def attach(app: FastAPI, parts: Parts) -> None:
    """Add the route."""
    meter = parts.meter

    @app.post(
        "/v1/events",
        dependencies=[needs("write")],
        openapi_extra=body("Event", "EventList"),
        responses=answers(200, "Accepted", "Kafka has the events that are not in `errors`."),
        summary="Send events",
        tags=["events"],
    )
    async def events(request: Request) -> Response:
        """Send one event, or a list of up to 1,000.

        Answered once Kafka has them. An event that is not valid is named in `errors` and does not
        keep the others out; where none is valid, that is the error. An event may be sent again
        under its `event_id`, which counts once. Without `event_id` one is drawn, and without `ts`
        it is the time of arrival.
        """
        parts.check_read()
        read = read_events(await body_of(request), parts.settings.domains)
        for fault in read.faults:
            meter.refused.labels(fault.reason).inc()
        if not read.events:
            told = "; ".join(f"{fault.rule}; {fault.cure}" for fault in read.faults[:3])
            raise Problem(422, f"no event is valid: {told}", read.faults)
        await parts.outbox.send(read.events)
        for event in read.events:
            meter.events.labels(event.kind.name.lower()).inc()
        answer = Accepted(
            accepted=len(read.events), event_ids=tuple(read.ids), errors=tuple(read.faults)
        )
        return Response(msgspec.json.encode(answer), media_type="application/json")
