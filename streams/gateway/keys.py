"""Who may call: keys by their hashes, compared in constant time."""

import hmac
import ipaddress
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from streams.settings import PREFIX, BadSetting, Settings
from streams.settings_gateway import SCOPES, Key, keys_of

_SECRET_BYTES = 32  # as long as its hash: nobody guesses it, so a slow hash would add nothing
ANYBODY = Key("", frozenset(SCOPES), b"")
"""Every caller of a gateway without keys."""


class NewKey(NamedTuple):
    """A key just made."""

    secret: str  # for the caller
    setting: str  # for `HEADRACE_GATEWAY_KEYS`


def new_key(name: str, scopes: Sequence[str]) -> NewKey:
    """Draw a key.

    Raises:
        BadSetting: the name or a scope is none.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    setting = f"{name}:{'+'.join(scopes)}:{_digest(secret).hex()}"
    Settings(gateway_keys=setting)
    return NewKey(secret, setting)


class Keyring:
    """The keys of a gateway.

    Args:
        settings: `gateway_keys`, and the address that is listened on.

    Raises:
        BadSetting: the address can be reached from elsewhere, and there is no key.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = keys_of(settings.gateway_keys)
        if not self._keys and not is_loopback(settings.gateway_host):
            raise BadSetting(
                f"{PREFIX}GATEWAY_HOST = {settings.gateway_host!r} can be reached by others, and "
                f"{PREFIX}GATEWAY_KEYS names no key, so that all of them might read and delete: "
                "make one by `headrace gateway-key`, or listen on 127.0.0.1"
            )

    @property
    def open(self) -> bool:
        """Whether there is no key: whoever reaches the gateway may do everything."""
        return not self._keys

    def find(self, secret: str | None) -> Key | None:
        """Return the key that a caller shows; None for a wrong one, or for none where one is due.

        All keys are compared, each in constant time: how long it takes tells nothing.
        """
        if not self._keys:
            return ANYBODY
        digest, found = _digest(secret or ""), None
        for key in self._keys:
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found


def allows(key: Key, scope: str) -> bool:
    """Tell whether a key is good for a scope; `admin` is for all."""
    return scope in key.scopes or "admin" in key.scopes


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
