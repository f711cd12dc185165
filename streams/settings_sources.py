"""Where settings come from, and what is refused there."""

import os
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)

PREFIX = "HEADRACE_"
CONFIG = f"{PREFIX}CONFIG"
_DEFAULT_FILE = Path("headrace.toml")


class BadSetting(ValueError):
    """A setting that is unknown or makes no sense; the message names it, its value and the rule."""


class Unknown(PydanticBaseSettingsSource):
    """Names in the environment that look like settings, so that a misspelt one is refused."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: no setting has its value from here."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the variables that start like ours and are none, for pydantic to refuse."""
        given = {
            name.upper().removeprefix(PREFIX).lower(): value
            for name, value in os.environ.items()
            if name.upper().startswith(PREFIX) and name.upper() != CONFIG
        }
        fields = self.settings_cls.model_fields
        return {name: value for name, value in given.items() if name not in fields}


def toml(settings_cls: type[BaseSettings]) -> TomlConfigSettingsSource:
    """Return the TOML file that `HEADRACE_CONFIG` names, else headrace.toml.

    Raises:
        BadSetting: the named file is not there, or it is not TOML.
    """
    named = os.environ.get(CONFIG)
    if named and not Path(named).is_file():
        raise BadSetting(f"{CONFIG} = {named!r}: there is no such file")
    file = Path(named) if named else _DEFAULT_FILE
    try:
        return TomlConfigSettingsSource(settings_cls, toml_file=file)
    except ValueError as error:  # neither TOML nor, perhaps, UTF-8
        raise BadSetting(f"{file} is not TOML: {error}") from error
