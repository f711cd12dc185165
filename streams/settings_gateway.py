"""The settings of `headrace gateway`, and what its keys are."""

import re
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from streams.settings_checks import check_servers

SCOPES = ("read", "write", "admin")
"""What a key may do: get lists and rankings; send events; all, and change items and users."""
KEYS_RULE = (
    "NAME:SCOPES:SHA256, comma between several: SCOPES are read, write, admin with + between, "
    "SHA256 as `headrace gateway-key` prints it"
)
ORIGINS_RULE = "origins such as https://shop.example, comma between several, or *"

_KEY = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<scopes>[a-z+]+):(?P<digest>[0-9a-f]{64})")
_ORIGIN = re.compile(r"\*|https?://[^/\s,*]+")


class Key(NamedTuple):
    """Who may call the gateway, and for what; what the caller must know is not kept."""

    name: str
    scopes: frozenset[str]
    digest: bytes  # SHA-256 of the key


class GatewaySettings(BaseSettings):
    """What an operator may change of the gateway; a part of `streams.settings.Settings`."""

    gateway_host: str = Field(
        "127.0.0.1",
        description="Address that the gateway listens on; any but a loopback one needs keys.",
    )
    gateway_port: int = Field(8080, ge=1, le=65_535, description="Port that it listens on.")
    gateway_dir: Path = Field(
        Path(".headrace/gateway"),
        description="Where it keeps its copy of the newest lists; one directory per gateway.",
    )
    gateway_keys: str = Field(
        "",
        description="Hashes of the keys that may call it, made by `headrace gateway-key`; none: "
        "whoever reaches it may do everything, which it allows on a loopback address only.",
    )
    gateway_cors: str = Field(
        "", description="Origins whose pages may call it from a browser; none: only its own."
    )
    gateway_body_bytes: int = Field(
        1_000_000, ge=1_000, le=1_000_000, description="Bytes that the body of a request may have."
    )
    gateway_concurrency: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Requests at work at once; further ones are turned away (503).",
    )
    gateway_rate: int = Field(
        1_000,
        ge=0,
        le=10**6,
        description="Requests a second that a key, or an address without one, may send for long "
        "(429 beyond; for a moment twice as many); 0: any number.",
    )
    gateway_deadline_ms: int = Field(
        250,
        ge=1,
        le=60_000,
        description="Milliseconds that a ranking may take on its way through the log; then it is "
        "answered in order of popularity.",
    )
    gateway_shop: bool = Field(
        default=False,
        description="Show the catalogue as a small shop at `/shop`, to try the system by hand; "
        "people need a key for read and write to come in.",
    )

    gateway_dashboard: bool = Field(
        default=False,
        description="Whether it shows, at /dashboard, how the whole installation is.",
    )
    gateway_dashboard_workers: str = Field(
        "",
        description="Where the workers serve metrics, for the dashboard; a name that leads to "
        "several addresses stands for all; none: at HEADRACE_METRICS_PORT of each worker's host.",
    )

    @field_validator("gateway_keys")
    @classmethod
    def _keys(cls, value: str) -> str:
        keys_of(value)
        return value

    @field_validator("gateway_dashboard_workers")
    @classmethod
    def _workers(cls, value: str) -> str:
        if value:
            check_servers(value)
        return value

    @field_validator("gateway_cors")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in origins_of(value):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin")
        return value


def keys_of(value: str) -> tuple[Key, ...]:
    """Return the keys of the setting `gateway_keys`.

    Raises:
        ValueError: one is malformed, or two have one name.
    """
    keys = [_key(part) for part in _parts(value)]
    if len({key.name for key in keys}) < len(keys):
        raise ValueError("two keys have one name")
    return tuple(keys)


def origins_of(value: str) -> tuple[str, ...]:
    """Return the origins of the setting `gateway_cors`."""
    return tuple(_parts(value))


def workers_of(value: str) -> tuple[str, ...]:
    """Return the addresses of the setting `gateway_dashboard_workers`."""
    return tuple(_parts(value))


def _key(part: str) -> Key:
    found = _KEY.fullmatch(part)
    scopes = frozenset(found["scopes"].split("+")) if found else frozenset()
    if found is None or not scopes <= frozenset(SCOPES):
        raise ValueError(f"{part!r} is no key")
    return Key(found["name"], scopes, bytes.fromhex(found["digest"]))


def _parts(value: str) -> list[str]:
    return [part for part in (part.strip() for part in value.split(",")) if part]
