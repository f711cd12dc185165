"""The most popular items of each domain, found again only where the index has changed."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.columns import HALF_LIVES_MS, HIDDEN, Columns
from ranker.item_state import BadItemState
from ranker.selection import offer

POPULAR = 512  # most popular items that are looked through for those that a list may show
_AT_ONCE = 1 << 18  # slots that are decayed together: what is in memory meanwhile is bounded


class MostPopular:
    """Remembers what it found: which of two items is the more popular depends on no clock.

    Args:
        domains: how many there are.
    """

    def __init__(self, domains: int) -> None:
        self._found: list[NDArray[np.int32] | None] = [None] * domains
        self._as_of = [(-1, -1)] * domains

    def of(self, columns: Columns, size: int, domain: int, changes: int) -> NDArray[np.int32]:
        """Return slots by each half-life, best first, (H, `POPULAR`), padded with -1.

        Args:
            columns: all items.
            size: so many slots are looked at.
            domain: its number; only items of it, and none that is hidden.
            changes: of the index; where it is what it was, so are the slots.
        """
        found = self._found[domain]
        if found is None or self._as_of[domain] != (changes, size):
            found = np.full((columns.popular_key.shape[1], POPULAR), -1, np.int32)
            _most_popular(columns, size, domain, found)
            self._found[domain], self._as_of[domain] = found, (changes, size)
        return found


def checked_half_lives(domains: Mapping[str, Sequence[int]]) -> NDArray[np.float64]:
    """Return the half-lives of the popularities of domains in ms, (domains, H).

    Raises:
        BadItemState: a domain has more of them, or fewer.
    """
    for name, given in domains.items():
        if len(given) != len(HALF_LIVES_MS):
            raise BadItemState(
                f"domain {name!r} has the half-lives {tuple(given)}, "
                f"it must have {len(HALF_LIVES_MS)} of them, in ms"
            )
    return np.array(list(domains.values()), np.float64)


def popularity_at(
    columns: Columns, size: int, half_lives_ms: NDArray[np.float64], now: int
) -> NDArray[np.float32]:
    """Return the popularity of the first `size` slots decayed to `now` (ms UTC), (size, H).

    Args:
        columns: all items.
        size: so many slots are looked at.
        half_lives_ms: (domains, H).
        now: touches that are later have not decayed.
    """
    decayed = np.empty((size, half_lives_ms.shape[1]), np.float32)
    for begin in range(0, size, _AT_ONCE):
        part = slice(begin, min(begin + _AT_ONCE, size))
        elapsed = np.maximum(now - columns.popularity_ts[part], 0)
        ages = elapsed[:, None] / half_lives_ms[columns.domain[part]]
        decayed[part] = columns.popularity[part] * np.exp2(-ages)
    return decayed


@kernel
def _most_popular(columns: Columns, size: int, domain: int, top: NDArray[np.int32]) -> None:
    """Fill each row of `top` with slots of a domain among the first `size`, by a popularity."""
    values = np.empty(top.shape, np.float64)
    found = np.zeros(len(top), np.int64)
    for slot in range(size):
        if columns.status[slot] == HIDDEN or columns.domain[slot] != domain:
            continue
        for h in range(len(top)):
            key = columns.popular_key[slot, h]
            if key > -np.inf:
                found[h] = offer(values[h], top[h], found[h], key, slot)
