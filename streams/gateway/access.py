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
