"""What a request for a list may ask for.

FastAPI takes parameters one by one, which is half of what a request for a list costs; as one model
they take a third of it. The model says in the document what they are, as FastAPI would.
"""

from typing import Annotated, Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from features.events import MAX_ID_BYTES

MOST_ITEMS = 200
MOST_WAIT_MS = 5_000
"""Pages look no longer for what an event has changed, and the gateway can leave in that time."""
MOST_NAMED = 100
"""Items to exclude, or categories: an address has room for no more (see `/v1/search` for those)."""
Text = Annotated[str, StringConstraints(max_length=MAX_ID_BYTES)]


class Wanted(BaseModel):
    """The parameters."""

    k: int | None = Field(
        None, ge=1, le=MOST_ITEMS, description="Items wanted; by default `HEADRACE_K`."
    )
    exclude: list[Text] = Field([], max_length=MOST_NAMED, description="Items not to show.")
    category: list[Text] = Field(
        [], max_length=MOST_NAMED, description="One level of the path is one of these."
    )
    in_stock: bool = Field(default=True, description="Leave out what cannot be bought now.")
    domain: str | None = Field(
        None, max_length=32, description="Of the items; the first by default."
    )
    wait_ms: int = Field(
        0,
        ge=0,
        le=MOST_WAIT_MS,
        description="With `If-None-Match`: wait so long for another list before a 304.",
    )


_SCHEMAS: Final[dict[str, dict[str, Any]]] = Wanted.model_json_schema()["properties"]
_REPEATABLE: Final = frozenset(
    name for name, schema in _SCHEMAS.items() if schema.get("type") == "array"
)
PARAMETERS: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema["description"],
            "schema": schema,
        }
        for name, schema in _SCHEMAS.items()
    ]
}
"""What `openapi_extra` says of them."""


def wanted(request: Request) -> Wanted:
    """Return what a request asks for; what is no parameter is ignored.

    Raises:
        RequestValidationError: a parameter breaks a rule.
    """
    query = request.query_params
    given = {
        name: query.getlist(name) if name in _REPEATABLE else query[name]
        for name in query
        if name in _SCHEMAS
    }
    try:
        return Wanted.model_validate(given)
    except ValidationError as error:
        faults = [{**each, "loc": ("query", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(faults) from error
