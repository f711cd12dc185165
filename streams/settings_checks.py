"""Rules over the values of settings that a type cannot tell."""

import re
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from streams.settings_sources import PREFIX

NAME = r"^[A-Za-z0-9._-]*$"
"""What Kafka allows in the names of topics and groups."""
_SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")


class _Security(Protocol):
    """The settings that say how to talk to Kafka."""

    @property
    def security_protocol(self) -> str: ...
    @property
    def sasl_username(self) -> str | None: ...
    @property
    def sasl_password(self) -> SecretStr | None: ...
    @property
    def ssl_cafile(self) -> Path | None: ...
    @property
    def ssl_certfile(self) -> Path | None: ...
    @property
    def ssl_keyfile(self) -> Path | None: ...


def check_servers(value: str) -> None:
    """Raise `ValueError` unless value is host:port, or several with commas between."""
    for server in value.split(","):
        found = _SERVER.fullmatch(server.strip())
        if not found or not 0 < int(found["port"]) < 2**16:
            raise ValueError(f"{server.strip()!r} is not host:port")


def check_security(given: _Security) -> None:
    """Raise `ValueError` where a part is missing, or is there and would not be used."""
    protocol = f"{PREFIX}SECURITY_PROTOCOL={given.security_protocol}"
    sasl = given.security_protocol.startswith("SASL")
    named = given.sasl_username is not None and given.sasl_password is not None
    if sasl and not named:
        raise ValueError(f"{protocol} needs {PREFIX}SASL_USERNAME and {PREFIX}SASL_PASSWORD")
    if not sasl and (given.sasl_username is not None or given.sasl_password is not None):
        raise ValueError(
            f"{PREFIX}SASL_USERNAME or {PREFIX}SASL_PASSWORD is set, but {protocol} would not use "
            "it: set SASL_SSL or SASL_PLAINTEXT"
        )
    files = (given.ssl_cafile, given.ssl_certfile, given.ssl_keyfile)
    if "SSL" not in given.security_protocol.split("_") and any(files):
        raise ValueError(
            f"{PREFIX}SSL_CAFILE, {PREFIX}SSL_CERTFILE or {PREFIX}SSL_KEYFILE is set, but "
            f"{protocol} would not use it: set SSL or SASL_SSL"
        )
    if given.ssl_keyfile is not None and given.ssl_certfile is None:
        raise ValueError(f"{PREFIX}SSL_KEYFILE needs {PREFIX}SSL_CERTFILE")
