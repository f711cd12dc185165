"""What an item followed: for each kind of pair, item -> how closely and how often, fading.

A pair's kind is that of both its events: who viewed this viewed that, who viewed this bought that,
who bought this came back to view that, who bought this bought that.

Two numbers of a pair are stored in one, which makes a row of 200 pairs three times as fast to read.
"""

from collections.abc import Sequence
from itertools import chain, compress, islice, repeat
from operator import add
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from features.events import Kind
from features.fading import ONE, faded
from features.signals import MAX_HISTORY, Touched

Predecessors: TypeAlias = tuple[dict[str, int], ...]
"""For each of `PAIRS` item -> `pair`, what changed last at the end."""
PAIRS: Final = (
    (Kind.CLICK, Kind.CLICK),
    (Kind.CLICK, Kind.PURCHASE),
    (Kind.PURCHASE, Kind.CLICK),
    (Kind.PURCHASE, Kind.PURCHASE),
)
"""Kind of the earlier event and of the later."""
NO_PAIRS: Final[Predecessors] = ({}, {}, {}, {})
WEIGHT_ONE: Final = 256
"""The weight of a pair at distance 0; of one at distance d, this divided by d + 1, rounded down."""
PASSAGE_BITS: Final = 22
MAX_PASSAGES: Final = (1 << PASSAGE_BITS - 2) - 1
"""The most of one kind, in 1/`ONE`; all four together still fit."""
_PURCHASE = int(Kind.PURCHASE)  # a member of an enumeration is slow to find and to compare
_MASK = (1 << PASSAGE_BITS) - 1
_Stored = TypeVar("_Stored", int, NDArray[np.int64])


def pair(weight: int, passages: int) -> int:
    """Return a weight in 1/`WEIGHT_ONE` and a number of passages in 1/`ONE` as one."""
    return weight << PASSAGE_BITS | passages


def parts(stored: _Stored) -> tuple[_Stored, _Stored]:
    """Return the weight and the passages of a `pair`, or of a sum of one pair of each kind.

    Of an array of them, both are arrays.
    """
    return stored >> PASSAGE_BITS, stored & _MASK


def summed(predecessors: Predecessors, names: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return what is stored of pairs with some items, of all kinds together.

    Returns:
        A sum as `parts` takes one, and what of it ended in a purchase, of each.
    """
    # In the order of `PAIRS`: every other kind ends in a purchase.
    ended = _sums(predecessors[1::2], names)
    return [*map(add, _sums(predecessors[::2], names), ended)], ended


def _sums(predecessors: Predecessors, names: Sequence[str]) -> list[int]:
    """Return the sum of what a click led to and what a purchase led to, of each name."""
    clicks, purchases = predecessors
    found = map(clicks.get, names, repeat(0))
    return [*map(add, found, map(purchases.get, names, repeat(0)))] if purchases else [*found]


def closeness(stored: _Stored) -> _Stored:
    """Weigh both kinds of neighbourhood of a `pair`: a passage counts as a pair at distance 3."""
    return (stored >> PASSAGE_BITS) + (stored & _MASK) * (WEIGHT_ONE // 4) // ONE


_NEAR = [WEIGHT_ONE // (distance + 1) for distance in range(MAX_HISTORY)]
_FAR = [weight // 2 for weight in _NEAR]


def copied(predecessors: Predecessors, more: Sequence[int]) -> Predecessors:
    """Return copies that `follow` may change; those of kinds that it will not, are not copied.

    Args:
        predecessors: The item's.
        more: How often it will add to a pair, of each kind (see `count`).
    """
    pairs = zip(predecessors, more, strict=True)
    return tuple([one.copy() if times else one for one, times in pairs])


def follow(predecessors: Predecessors, entry: Touched, turns: int) -> int:
    """Add, in place, that the item followed a history; return the weight of it all.

    Args:
        predecessors: The item's.
        entry: What happened.
        turns: How old it is, in turns of fading: 0, unless it is late.
    """
    total, near, bought = 0, entry.near, entry.bought
    passage = faded(ONE, turns)
    later = entry.kind == _PURCHASE
    for distance, item_id in enumerate(entry.history):
        weight = _NEAR[distance] if distance < near else _FAR[distance]
        if turns:
            weight = faded(weight, turns)
        total += weight
        pairs = predecessors[2 * (bought >> distance & 1) + later]
        known = pairs.get(item_id, 0)
        room = MAX_PASSAGES - (known & _MASK)
        # What `pair` says; ten calls an event would be a fifth of all this.
        more = weight << PASSAGE_BITS | min(room, passage)
        if more:
            if known:
                del pairs[item_id]
            pairs[item_id] = known + more
    return total


def count(entries: Sequence[Touched]) -> list[int]:
    """Return how often `follow` adds to a pair, of each kind, where it is told all entries."""
    found = [0] * len(PAIRS)
    for entry in entries:
        length = len(entry.history)
        bought = (entry.bought & (1 << length) - 1).bit_count()
        later = entry.kind == _PURCHASE
        found[later] += length - bought
        found[2 + later] += bought
    return found


def changed_last(predecessors: Predecessors, paired: Sequence[int]) -> list[str]:
    """Return all that was added to last; some more, where one was added to several times.

    Args:
        predecessors: The item's.
        paired: How often something was added to a pair, of each kind: see `count`.
    """
    ends = zip(predecessors, paired, strict=True)
    newest = [islice(reversed(pairs), times) for pairs, times in ends if times]
    return list(dict.fromkeys(chain.from_iterable(newest)))


def all_faded(predecessors: Predecessors, turns: int) -> Predecessors:
    """Return all pairs after so many turns, without those of which nothing is left."""
    return tuple([_faded(pairs, turns) for pairs in predecessors])


def pruned(predecessors: Predecessors, most: int) -> Predecessors:
    """Return the `most` closest pairs of all kinds once there are twice as many.

    Among equals the last to change stay, and of pairs of several kinds those of the higher.
    """
    count = sum(map(len, predecessors))
    if count <= 2 * most:
        return predecessors
    stored = chain.from_iterable([pairs.values() for pairs in predecessors])
    close = closeness(np.fromiter(stored, np.int64, count))
    kept = np.zeros(count, np.bool_)
    # Sorted from the end, equals keep the order in which they shall stay.
    kept[::-1][np.argsort(-close[::-1], kind="stable")[:most]] = True
    stays = iter(kept.tolist())
    return tuple([dict(compress(pairs.items(), stays)) for pairs in predecessors])


def _faded(pairs: dict[str, int], turns: int) -> dict[str, int]:
    after = {}
    for item_id, stored in pairs.items():
        weight, passages = parts(stored)
        left = pair(faded(weight, turns), faded(passages, turns))
        if left:
            after[item_id] = left
    return after
