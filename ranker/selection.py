"""Which items may be shown, and the best few of many."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import inlined, kernel
from ranker.columns import DATED, HIDDEN, SHOWN, Columns


class Filters(NamedTuple):
    """What B lists may show; list b excludes the sorted excluded[start[b]:stop[b]].

    The columns that say it stand here again: a kernel hands on few arrays faster than many.
    """

    domain: NDArray[np.int8]  # (cap,) as in Columns, like the next three
    status: NDArray[np.int8]  # (cap,)
    available_from: NDArray[np.int64]  # (cap,)
    available_to: NDArray[np.int64]  # (cap,)
    wanted: NDArray[np.int8]  # (B,) domain of the list
    now: NDArray[np.int64]  # (B,) ms UTC
    excluded: NDArray[np.int32]  # of all lists, one after the other
    start: NDArray[np.int64]  # (B,)
    stop: NDArray[np.int64]  # (B,)

    def of(self, lists: NDArray[np.int64]) -> "Filters":
        """Return the filters of some lists."""
        return self._replace(
            wanted=self.wanted[lists],
            now=self.now[lists],
            start=self.start[lists],
            stop=self.stop[lists],
        )


def unfiltered(items: int, lists: int) -> Filters:
    """Return filters of a shop without hidden items or dates, of lists that exclude nothing."""
    return Filters(
        domain=np.zeros(items, np.int8),
        status=np.full(items, SHOWN, np.int8),
        available_from=np.zeros(items, np.int64),
        available_to=np.zeros(items, np.int64),
        wanted=np.zeros(lists, np.int8),
        now=np.zeros(lists, np.int64),
        excluded=np.empty(0, np.int32),
        start=np.zeros(lists, np.int64),
        stop=np.zeros(lists, np.int64),
    )


class Space(NamedTuple):
    """Vectors of the first I slots."""

    vectors: NDArray[np.float32]  # (I, D)
    known: NDArray[np.bool_]  # (I,) which of them count


def vectors_of(columns: Columns, size: int | None = None) -> Space:
    """Return the attention vectors of the first `size` slots, or of all that there is room for."""
    return Space(columns.vectors[:size], columns.has_vector[:size])


def factors_of(columns: Columns, size: int | None = None) -> Space:
    """Return the factors likewise, the last of which is the bias."""
    return Space(columns.factors[:size], columns.has_factors[:size])


class Best(NamedTuple):
    """The best so far of each list."""

    values: NDArray[np.float32]  # (B, top) best first
    slots: NDArray[np.int32]  # (B, top)
    sizes: NDArray[np.int32]  # (B,)


def new_best(lists: int, top: int) -> Best:
    """Return the best of each list before anything was offered."""
    return Best(
        values=np.empty((lists, top), np.float32),
        slots=np.full((lists, top), -1, np.int32),
        sizes=np.zeros(lists, np.int32),
    )


@inlined
def inner_product(one: NDArray[np.float32], other: NDArray[np.float32]) -> np.float32:
    """Return the inner product of two vectors of equal length, summed in 32 bits."""
    total = np.float32(0.0)
    for j in range(len(one)):
        total += one[j] * other[j]
    return total


@inlined
def shown(filters: Filters, b: int, slot: int) -> bool:
    """Say whether the item is of the domain of list `b`, and available now."""
    status = filters.status[slot]
    if status == HIDDEN or filters.domain[slot] != filters.wanted[b]:
        return False
    if status == DATED:
        now = filters.now[b]
        return bool(filters.available_from[slot] <= now < filters.available_to[slot])
    return True


@inlined
def excluded(filters: Filters, b: int, slot: int) -> bool:
    """Say whether list `b` excludes the item."""
    low, high = filters.start[b], filters.stop[b]
    while low < high:
        middle = (low + high) // 2
        if filters.excluded[middle] < slot:
            low = middle + 1
        else:
            high = middle
    return bool(low < filters.stop[b] and filters.excluded[low] == slot)


@inlined
def allowed(filters: Filters, b: int, slot: int) -> bool:
    """Say whether list `b` may show the item: of its domain, available now and not excluded."""
    return shown(filters, b, slot) and not excluded(filters, b, slot)


@kernel
def offer(
    values: NDArray[np.floating], slots: NDArray[np.int32], size: int, value: float, slot: int
) -> int:
    """Insert into the best so far, highest first; return their number. Of equals the first stays.

    Args:
        values: the first `size` are in use; its length is how many are kept.
        slots: what they are values of.
        size: how many there are.
        value: the newcomer's.
        slot: the newcomer.
    """
    if size == len(values):
        if size == 0 or value <= values[size - 1]:
            return size
        at = size - 1
    else:
        at = size
        size += 1
    while at > 0 and values[at - 1] < value:
        values[at] = values[at - 1]
        slots[at] = slots[at - 1]
        at -= 1
    values[at] = value
    slots[at] = slot
    return size
