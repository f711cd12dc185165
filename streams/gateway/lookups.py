"""What people look up in Kafka's topics: seconds each, so one at a time, beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from streams.explain import Unknown
from streams.gateway.problems import Problem

P = ParamSpec("P")
T = TypeVar("T")
RETRY_S = 2


class Lookups:
    """Runs them. Made inside a running event loop."""

    def __init__(self) -> None:
        self._alone = asyncio.Lock()

    async def run(self, lookup: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        """Return what a function returns, called in a thread.

        Raises:
            Problem: somebody else looks something up; or what is asked for is unknown; or Kafka
                does not answer.
        """
        if self._alone.locked():
            busy = "somebody else has something looked up: try again in a few seconds"
            raise Problem(503, busy, headers={"Retry-After": str(RETRY_S)})
        async with self._alone:
            try:
                return await asyncio.to_thread(lookup, *given, **named)
            except Unknown as error:
                raise Problem(404, str(error)) from error
            except ConnectionError as error:
                raise Problem(503, str(error), headers={"Retry-After": str(RETRY_S)}) from error
