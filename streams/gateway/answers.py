"""Who waits for which list: a ranking that is asked for through the log, and comes back by it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from streams.lists import Recommendation


class Answers:
    """Requests that wait, by the `rec_id` of the list that answers them."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Recommendation]] = {}

    def __len__(self) -> int:
        """Count those that wait."""
        return len(self._waiting)

    @contextmanager
    def expecting(self, rec_id: str) -> Iterator[asyncio.Future[Recommendation]]:
        """Yield a future that becomes the list once it comes; nobody waits any more afterwards."""
        future = asyncio.get_running_loop().create_future()
        self._waiting[rec_id] = future
        try:
            yield future
        finally:
            self._waiting.pop(rec_id, None)

    def take(self, made: Recommendation) -> None:
        """Give a list to whoever waits for it."""
        future = self._waiting.get(made.rec_id)
        if future is not None and not future.done():
            future.set_result(made)
