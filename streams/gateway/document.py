"""The OpenAPI document: bodies as the worker's decoder has them, and a problem for each error."""

from importlib import metadata
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from features.events import Click, Item, Purchase, Search
from streams.gateway.access import scope_of
from streams.gateway.problems import CONTENT_TYPE, KINDS, ProblemDetails

_REF: Final = "#/components/schemas/"
_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "address": {"type": "apiKey", "in": "query", "name": "key"},
}
_MAY_LACK: Final = ("event_id", "ts")
_ASKED: Final = ("type", "event_id", "ts")
"""What a search says that a request to rank does not: the gateway does."""
_ABOUT: Final = """\
Events in, recommendations and rankings out. Errors are problem details (RFC 9457). A retry of an
event under its own `event_id` is harmless: it counts once.
"""

Schema = dict[str, Any]


def body(*names: str) -> Schema:
    """Return what `openapi_extra` says of a JSON body that is one of the named schemas."""
    found = [{"$ref": _REF + name} for name in names]
    schema = found[0] if len(found) == 1 else {"anyOf": found}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answers(status: int, schema: str | None, meaning: str) -> dict[int | str, Schema]:
    """Return what `responses` says of a good answer; the errors are added to all routes alike."""
    said: Schema = {"description": meaning}
    if schema is not None:
        said["content"] = {"application/json": {"schema": {"$ref": _REF + schema}}}
    return {status: said}


def text(meaning: str, kind: str = "text/plain") -> dict[int | str, Schema]:
    """Return what `responses` says of an answer that is text."""
    return {200: {"description": meaning, "content": {kind: {"schema": {"type": "string"}}}}}


def install(app: FastAPI, *answered: Any) -> None:
    """Let an app show this document.

    Args:
        app: With all its routes.
        answered: The types that it answers with.
    """
    made: list[Schema] = []

    def document() -> Schema:
        if not made:
            made.append(_document(app, answered))
        return made[0]

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way


def _document(app: FastAPI, answered: tuple[Any, ...]) -> Schema:
    document = get_openapi(
        title="Headrace gateway",
        version=metadata.version("headrace"),
        description=_ABOUT,
        routes=app.routes,
    )
    document["components"] = {
        "schemas": _schemas(answered),
        "securitySchemes": _SECURITY,
    }
    problem = {"schema": {"$ref": _REF + "ProblemDetails"}}
    scopes = _scopes(app)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if (scope := scopes.get((path, method.upper()))) is not None:
                operation["security"] = [{name: []} for name in _SECURITY]
                operation["description"] += f"\n\nNeeds a key with scope `{scope}`."
            for status, (_, title) in KINDS.items():
                operation["responses"][str(status)] = {
                    "description": title,
                    "content": {CONTENT_TYPE: problem},
                }
    return document


def _scopes(app: FastAPI) -> dict[tuple[str, str], str | None]:
    """Return the scope that each path and method needs."""
    return {
        (route.path_format, method): scope_of(route.dependencies)
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


def _schemas(answered: tuple[Any, ...]) -> dict[str, Schema]:
    types = (Click, Search, Purchase, Item, ProblemDetails, *answered)
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF + "{name}")
    asked = schemas["Search"]
    for name in ("Click", "Search", "Purchase"):
        schemas[name] = _without(schemas[name], required=_MAY_LACK)
    schemas["Item"] = _without(schemas["Item"], required=("type", "item_id"))
    kinds = [{"$ref": _REF + name} for name in ("Click", "Search", "Purchase")]
    schemas["Event"] = {"title": "Event", "oneOf": kinds}
    schemas["EventList"] = {
        "title": "EventList",
        "type": "array",
        "items": {"$ref": _REF + "Event"},
        "minItems": 1,
        "maxItems": 1000,
    }
    schemas["SearchRequest"] = _without(asked, required=_ASKED, fields=(*_ASKED, "candidates"))
    ranked = _without(asked, required=(*_ASKED, "query"), fields=_ASKED)
    ranked["required"] = [*ranked["required"], "candidates"]
    schemas["RankRequest"] = ranked
    return schemas


def _without(
    schema: Schema, *, required: tuple[str, ...] = (), fields: tuple[str, ...] = ()
) -> Schema:
    """Return a schema in which some fields need not be there, and some are not."""
    return schema | {
        "required": [name for name in schema.get("required", ()) if name not in required],
        "properties": {
            name: rule for name, rule in schema["properties"].items() if name not in fields
        },
    }
