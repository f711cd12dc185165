"""What a route asks of its caller: a key that is good for its scope."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, Request

from streams.gateway.keys import allows
from streams.gateway.problems import Problem


def needs(scope: str) -> Any:
    """Return the dependency of a route that callers with this scope may use.

    `streams.gateway.limits.Gate` has found out who calls.
    """

    async def check(request: Request) -> None:
        key = request.scope["key"]
        if key is None:
            detail = (
                "send `Authorization: Bearer KEY` (or `X-API-Key: KEY`) with a key that this "
                "gateway knows; `headrace gateway-key` makes one"
            )
            raise Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
        if not allows(key, scope):
            has = ", ".join(sorted(key.scopes))
            raise Problem(403, f"key {key.name!r} is for {has}; this needs {scope}")

    return Depends(_named(check, scope))


class SignIn(Exception):
    """A page was asked for without a key that is good for it.

    Args:
        refused: Why the key that was shown is not; "" where there was none.
    """

    def __init__(self, refused: str = "") -> None:
        super().__init__(refused)
        self.refused = refused


def page_needs(*scopes: str) -> Any:
    """Return the dependency of a page that people with all these scopes may see.

    Whoever has no key is sent to `streams.gateway.signin`.
    """

    async def check(request: Request) -> None:
        key = request.scope["key"]
        if key is None:
            raise SignIn
        missing = [scope for scope in scopes if not allows(key, scope)]
        if missing:
            has = ", ".join(sorted(key.scopes))
            raise SignIn(f"key {key.name!r} is for {has}; this page needs {', '.join(scopes)}")

    return Depends(check)


def _named(
    check: Callable[[Request], Awaitable[None]], scope: str
) -> Callable[[Request], Awaitable[None]]:
    """Name the scope, for who describes the routes."""
    check.scope = scope  # type: ignore[attr-defined]
    return check


def scope_of(dependencies: Any) -> str | None:
    """Return the scope that a route's dependencies ask for; None where anybody may call."""
    for one in dependencies:
        if (scope := getattr(one.dependency, "scope", None)) is not None:
            return str(scope)
    return None
