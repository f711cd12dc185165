"""The most popular items of every category in every domain, kept up as items change.

An item's place among the others is moved by changes of its own alone (see `Columns.popular_key`).
So a shelf need not be looked through when time goes by, only when one of its items is put.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.columns import BY_WEEK, HIDDEN, NO_DOMAIN, Columns
from ranker.selection import offer

ITEMS = 64  # on a shelf at most, so that a list that excludes some still finds others
LEAST = 32  # a shelf that has kept fewer of a larger category is filled anew
MOST = 10_000  # shelves; of more categories, the later ones have none
_FIRST = 64


class Shelves(NamedTuple):
    """A row per category c and domain d, c * domains + d, the first L of them.

    Those of category 0, which is none, are empty.
    """

    slots: NDArray[np.int32]  # (L, ITEMS) best first
    keys: NDArray[np.float64]  # (L, ITEMS) `Columns.popular_key` of each
    sizes: NDArray[np.int32]  # (L,)
    rest: NDArray[np.float64]  # (L,) no item of the category that is off the shelf has a higher key


class CategoryShelves:
    """Keeps a shelf for every category of a domain, which holds exactly the best items there.

    Args:
        domains: how many there are.

    Attributes:
        rows: what kernels read. Growth makes new ones, and whoever holds old ones may read on.
    """

    def __init__(self, domains: int = 1) -> None:
        self.rows = _new(_FIRST)
        self._domains = domains

    def of(self, columns: Columns, slots: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the row of each item's shelf, 0 for none, (S,)."""
        leaves, domains = columns.leaf[slots].astype(np.int64), columns.domain[slots]
        rows = leaves * self._domains + domains
        return np.where((leaves > 0) & (domains != NO_DOMAIN) & (rows <= MOST), rows, 0)

    def put(
        self, columns: Columns, size: int, slots: NDArray[np.int32], before: NDArray[np.int64]
    ) -> None:
        """Let shelves follow a change of the rows of some items.

        Args:
            columns: all items, as after the change.
            size: so many slots are in use.
            slots: the items, each once, (S,).
            before: their shelves before the change, as from `of`.
        """
        after = self.of(columns, slots)
        while len(self.rows.sizes) <= after.max(initial=0):
            rows, more = self.rows, _new(len(self.rows.sizes))
            self.rows = Shelves(
                slots=np.concatenate([rows.slots, more.slots]),
                keys=np.concatenate([rows.keys, more.keys]),
                sizes=np.concatenate([rows.sizes, more.sizes]),
                rest=np.concatenate([rows.rest, more.rest]),
            )
        shown = np.where(columns.status[slots] != HIDDEN, after, 0)
        _replace(self.rows, slots, before, shown, columns.popular_key[slots, BY_WEEK])
        sizes, rest = self.rows.sizes[before], self.rows.rest[before]
        for shelf in set(before[(sizes < LEAST) & (rest > -np.inf)].tolist()):
            _fill(self.rows, shelf, columns, size, self._domains)


def _new(count: int) -> Shelves:
    return Shelves(
        slots=np.full((count, ITEMS), -1, np.int32),
        keys=np.full((count, ITEMS), -np.inf),
        sizes=np.zeros(count, np.int32),
        rest=np.full(count, -np.inf),
    )


@kernel
def _replace(
    shelves: Shelves,
    slots: NDArray[np.int32],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    keys: NDArray[np.float64],
) -> None:
    """Take items off the shelves where they were, and put them where they belong."""
    for i in range(len(slots)):
        if before[i]:
            _take(shelves, before[i], slots[i])
    for i in range(len(slots)):
        if after[i]:
            _place(shelves, after[i], slots[i], keys[i])


@kernel
def _take(shelves: Shelves, shelf: int, slot: int) -> None:
    """Take an item off a shelf, if it is there."""
    slots, keys, size = shelves.slots[shelf], shelves.keys[shelf], shelves.sizes[shelf]
    for at in range(size):
        if slots[at] == slot:
            slots[at : size - 1] = slots[at + 1 : size].copy()
            keys[at : size - 1] = keys[at + 1 : size].copy()
            shelves.sizes[shelf] = size - 1
            return


@kernel
def _place(shelves: Shelves, shelf: int, slot: int, key: float) -> None:
    """Put an item on a shelf that does not hold it, or with the rest of its category."""
    if key <= shelves.rest[shelf]:
        return
    slots, keys, size = shelves.slots[shelf], shelves.keys[shelf], shelves.sizes[shelf]
    if size == ITEMS:
        shelves.rest[shelf] = max(shelves.rest[shelf], min(key, keys[size - 1]))
    shelves.sizes[shelf] = offer(keys, slots, size, key, slot)


@kernel
def _fill(shelves: Shelves, shelf: int, columns: Columns, size: int, domains: int) -> None:
    """Fill a shelf from all items."""
    shelves.sizes[shelf] = 0
    shelves.rest[shelf] = -np.inf
    leaf, domain = shelf // domains, shelf % domains
    for slot in range(size):
        there = columns.leaf[slot] == leaf and columns.domain[slot] == domain
        if there and columns.status[slot] != HIDDEN:
            _place(shelves, shelf, slot, columns.popular_key[slot, BY_WEEK])
