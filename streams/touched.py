"""What all users of a log touched, to fit the attention model on."""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from sys import intern

import numpy as np

from features.events import Touching
from ranker.history import History, manners


class Touched:
    """Grows with a log by some 20 bytes a touch, and some 100 for each user and item."""

    def __init__(self) -> None:
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._of_user, self._of_item = array("i"), array("i")
        self._times, self._kinds = array("q"), array("b")

    def __len__(self) -> int:
        """Count the touches."""
        return len(self._times)

    def add(self, event: Touching) -> None:
        """Note what an event touched; events come in the order of the log."""
        users, items = self._users, self._items
        self._of_user.append(users.setdefault(event.user_id, len(users)))
        self._of_item.append(items.setdefault(intern(event.item_id), len(items)))
        self._times.append(event.ts)
        self._kinds.append(event.kind)

    def histories(self) -> Iterator[History]:
        """Yield what each user touched, in the order of the log, the first user first."""
        users = np.array(self._of_user, np.int32)
        order = np.argsort(users, kind="stable")
        users = users[order]
        items = np.array(list(self._items), object)[np.array(self._of_item, np.int32)[order]]
        times, kinds = np.array(self._times, np.int64), np.array(self._kinds, np.int8)
        first = np.diff(users, prepend=-1) > 0
        came = manners(times[order], kinds[order], first)
        for start, stop in pairwise([*np.flatnonzero(first).tolist(), len(users)]):
            yield History(items[start:stop].tolist(), came[start:stop])
