"""The settings as text: a page for the documentation, and what is in force right now."""

from pathlib import Path

from pydantic.fields import FieldInfo

from streams.settings import CONFIG, PREFIX, Settings
from streams.settings_domains import written
from streams.settings_errors import allowed
from streams.settings_gateway import GatewaySettings

_HEAD = f"""\
# Settings

Made by `headrace settings --markdown`; a test fails where this page and the code differ.

Each setting is an environment variable. Without the prefix and in lower case it is a key of the
TOML file that `{CONFIG}` names (else `headrace.toml`, where there is one). The first of these wins:
command-line options, the environment, `.env` in the working directory, the TOML file, the default.
An empty variable counts as not set. An unknown name or a value that is not allowed stops the
program with a message that says so.

| name | default | allowed | meaning |
|---|---|---|---|
"""


def markdown() -> str:
    """Return the reference page, docs/settings.md."""
    rows = [
        f"| `{variable(name)}` | {_default(field)} | {rule} | {field.description} |"
        for name in _names()
        for field, rule in [(Settings.model_fields[name], allowed(Settings, name))]
    ]
    return _HEAD + "\n".join(rows) + "\n"


def in_force(settings: Settings) -> list[tuple[str, str]]:
    """Return every variable with the value that holds now; secrets are masked."""
    values = ((name, getattr(settings, name)) for name in _names())
    return [(variable(name), "" if value is None else _text(value)) for name, value in values]


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def _names() -> list[str]:
    """Return every setting, those of the gateway last."""
    return sorted(Settings.model_fields, key=GatewaySettings.model_fields.__contains__)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value.as_posix() if isinstance(value, Path) else _text(value)}`"


def _text(value: object) -> str:
    return written(value) if isinstance(value, dict) else str(value)
