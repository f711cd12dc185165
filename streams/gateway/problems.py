"""Problem details (RFC 9457): every error of the gateway is one, also those of its framework."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from streams.codec import REASONS, BadEvent

CONTENT_TYPE: Final = "application/problem+json"

KINDS: Final = {
    400: ("unreadable", "The request cannot be read"),
    401: ("no-key", "A key is needed"),
    403: ("wrong-scope", "The key is not good for this"),
    404: ("not-found", "Not found"),
    405: ("wrong-method", "Not by this method"),
    413: ("too-large", "The body is too large"),
    422: ("invalid", "The request is not valid"),
    429: ("too-many", "Too many requests"),
    500: ("failed", "The gateway failed"),
    503: ("unavailable", "Not available now"),
}
"""Status -> the last part of the problem's type, and its title."""
_INVALID = 422


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong with a request.

    Attributes:
        position: Place in the list that was sent, from 0; absent where one thing was sent.
        field: Of the address, where it is wrong there.
        event_id: Of the event, where it says one.
        reason: A short code (see docs/events.md).
        rule: The value and the rule that it breaks.
        cure: What to do.
    """

    position: int | None = None
    field: str | None = None
    event_id: str | None = None
    reason: str
    rule: str
    cure: str


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error, as RFC 9457 has it; `errors` tells its parts."""

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[Fault, ...] = ()


class Problem(Exception):
    """An error to answer a request with.

    Args:
        status: A key of `KINDS`.
        detail: What is wrong and what to do.
        errors: Its parts.
        headers: To send beside.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = headers


def response_of(problem: Problem) -> Response:
    """Return the answer."""
    kind, title = KINDS.get(problem.status) or ("other", HTTPStatus(problem.status).phrase)
    body = ProblemDetails(
        type=f"urn:headrace:problem:{kind}",
        title=title,
        status=problem.status,
        detail=problem.detail,
        errors=problem.errors,
    )
    return Response(
        msgspec.json.encode(body), problem.status, dict(problem.headers or {}), CONTENT_TYPE
    )


def fault_of(error: BadEvent, position: int | None = None, event_id: object = None) -> Fault:
    """Return what is wrong with an event."""
    return Fault(
        position=position,
        event_id=event_id if isinstance(event_id, str) else None,
        reason=error.reason,
        rule=error.problem,
        cure=REASONS[error.reason],
    )


def invalid(error: BadEvent) -> Problem:
    """Return the problem of a request that holds one thing, and that is wrong."""
    return Problem(_INVALID, str(error), [fault_of(error)])


def install(app: FastAPI) -> None:
    """Let every error of an app be answered so."""

    @app.exception_handler(Problem)
    async def ours(_: Request, problem: Problem) -> Response:
        return response_of(problem)

    @app.exception_handler(HTTPException)
    async def frameworks(request: Request, error: HTTPException) -> Response:
        detail = f"{error.detail}: {request.method} {request.url.path}"
        return response_of(Problem(error.status_code, detail, headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def parameters(_: Request, error: RequestValidationError) -> Response:
        faults = [
            Fault(
                field=".".join(map(str, each["loc"][1:])),
                reason="bad_value",
                rule=f"is {each['input']!r:.100}: {each['msg']}",
                cure="keep the rule, or leave the parameter out",
            )
            for each in error.errors()
        ]
        detail = "; ".join(f"`{fault.field}` {fault.rule}" for fault in faults)
        return response_of(Problem(_INVALID, detail, faults))

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        del error  # it is raised on, and logged
        detail = "something unexpected happened, which the gateway's log tells; try again later"
        return response_of(Problem(500, detail))
