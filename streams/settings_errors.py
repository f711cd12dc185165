"""What is wrong with a setting, in words that name its value, its rule and the cure."""

import difflib

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streams.settings_checks import NAME
from streams.settings_domains import RULE
from streams.settings_gateway import KEYS_RULE, ORIGINS_RULE
from streams.settings_sources import PREFIX

_TOLD = {
    "broker": "host:port, comma between several",
    "domains": RULE,
    "gateway_keys": KEYS_RULE,
    "gateway_cors": ORIGINS_RULE,
    "gateway_dashboard_workers": "host:port, comma between several",
}
"""What no schema tells."""


def allowed(settings: type[BaseModel], name: str) -> str:
    """Say in a few words which values a setting takes."""
    if name in _TOLD:
        return _TOLD[name]
    schema = settings.model_json_schema()["properties"][name]
    schema |= next((one for one in schema.get("anyOf", ()) if one["type"] != "null"), {})
    if choices := schema.get("enum"):
        return ", ".join(choices)
    if schema["type"] == "boolean":
        return "true, false"
    if schema["type"] == "integer":
        return f"whole number, {schema['minimum']} to {schema['maximum']}"
    if schema.get("pattern") == NAME:
        return f"up to {schema['maxLength']} letters, digits, . _ -"
    return "path" if schema.get("format") == "path" else "text"


def explain(error: ValidationError, settings: type[BaseModel]) -> str:
    """Say of each bad setting its name, its value and what is allowed, a line for each."""
    return "\n".join(_complaint(each, settings) for each in error.errors())


def _complaint(found: ErrorDetails, settings: type[BaseModel]) -> str:
    if not found["loc"]:  # a rule over several settings names them itself
        return found["msg"].removeprefix("Value error, ")
    field = str(found["loc"][0])
    name = f"{PREFIX}{field.upper()}"
    if field not in settings.model_fields:
        near = difflib.get_close_matches(field, settings.model_fields, n=1)
        hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else "see `headrace settings`"
        return f"{name} is not a setting: {hint}"
    for part in found["loc"][1:]:
        name += f" {part}" if part != "[key]" else ""
    value = "(secret)" if "password" in field else repr(found["input"])
    return f"{name} = {value}: allowed is {allowed(settings, field)}"
