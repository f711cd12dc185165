"""Requests that wait for a user's next list."""

import asyncio
from collections import defaultdict

from streams.lists import Recommendation


class Waiting:
    """Who waits for the next list of whom.

    Args:
        most: So many may wait at once; further ones are told that there is nothing new.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._count = 0

    def __len__(self) -> int:
        """Count those that wait."""
        return self._count

    async def next_list(self, user_id: str, within_s: float) -> bool:
        """Wait for a list for a user; tell whether one came in time."""
        if within_s <= 0 or self._count >= self._most:
            return False
        future = asyncio.get_running_loop().create_future()
        self._waiting[user_id].add(future)
        self._count += 1
        try:
            async with asyncio.timeout(within_s):
                await future
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._count -= 1
            mine = self._waiting[user_id]
            mine.discard(future)
            if not mine:
                del self._waiting[user_id]

    def take(self, made: Recommendation) -> None:
        """Wake those who wait for a list like this."""
        if made.surface != "for_you":
            return
        for future in self._waiting.get(made.user_id, ()):
            if not future.done():
                future.set_result(None)
