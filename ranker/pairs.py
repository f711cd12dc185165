"""Who followed whom: the pairs of all items, kept up as rows come, readable from either end.

An item's row says which items it followed. A list needs the other end: what follows the items of a
history, and what goes together with them. So every pair x -> c that row c holds stands twice here,
in the list of x and in the list of c. A list has room for the N closest.

Weights are as of one time, the index's landmark, so that they stay as they are while they fade: a
reader multiplies by what is left of them.

The pairs of an event lie all over the memory, and to fetch it from there is what most of their cost
is. So what is read and written together of a pair lies together.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel

PASSAGE_WEIGHT = 0.25  # a passage makes two items as close as one pair at distance 3
TIE = (
    "forward",  # weight with which the neighbour followed
    "bought",  # of that the weight with which it was bought
    "followed",  # times that it followed
    "preceded",  # times that it came before
)
"""What is known of a neighbour, in the order of `Pairs.ties`."""
TIE_FORWARD, TIE_BOUGHT, TIE_FOLLOWED, TIE_PRECEDED = range(len(TIE))
_Told = tuple[np.float32, np.float32, np.float32]
_NOTHING: _Told = (np.float32(0.0), np.float32(0.0), np.float32(0.0))


class Pairs(NamedTuple):
    """The columns that say it, `ranker.columns.Columns` has them all. Lists of N, cap slots."""

    neighbours: NDArray[np.int32]  # (cap, N) slots, the first `degree` of a row
    ties: NDArray[np.float32]  # (cap, N, len(TIE)) of each of them
    degree: NDArray[np.int32]  # (cap,)
    out_weight: NDArray[np.float64]  # (cap,) sum of forward; 64 bits, so that it stays exact
    least: NDArray[np.float32]  # (cap,) nothing in a full list is less close than this
    sources: NDArray[np.int32]  # (cap, N) what row c says it followed, the first `sourced`
    source_weights: NDArray[np.float32]  # (cap, N, 3) and with which weight, how often, bought
    sourced: NDArray[np.int32]  # (cap,)
    named_by: NDArray[np.int64]  # (cap,) scratch: the last number under which the slot was named


@kernel
def put_pairs(
    pairs: Pairs, c: int, number: int, sources: NDArray[np.int32], weights: NDArray[np.float32]
) -> None:
    """Replace all that row c says it followed.

    Args:
        pairs: of all items.
        c: the row's slot.
        number: not used yet.
        sources: distinct slots, at most N of them, (S,).
        weights: (S, 3) of each the weight, the times that c came after it, and of the weight that
            with which c was bought.
    """
    before = pairs.sourced[c]
    for x in sources:
        pairs.named_by[x] = number
    for i in range(before):
        if pairs.named_by[pairs.sources[c, i]] != number:
            _set_forward(pairs, pairs.sources[c, i], c, _NOTHING)
    for i in range(len(sources)):
        x, told, known = sources[i], weights[i], pairs.source_weights[c, i]
        # Most of a row is as it was, in the same order, and its pairs are all over the memory.
        same = known[0] == told[0] and known[1] == told[1] and known[2] == told[2]
        if i < before and pairs.sources[c, i] == x and same:
            continue
        pairs.sources[c, i] = x
        known[:] = told
        _set_forward(pairs, x, c, (told[0], told[1], told[2]))
    pairs.sourced[c] = len(sources)


@kernel
def amend_pairs(
    pairs: Pairs, c: int, sources: NDArray[np.int32], weights: NDArray[np.float32]
) -> None:
    """Replace some of what row c says it followed; of more than it has room for the closest stay.

    Args:
        pairs: of all items.
        c: the row's slot.
        sources: distinct slots, (S,).
        weights: (S, 3) as in `put_pairs`.
    """
    for i in range(len(sources)):
        x = sources[i]
        told = (weights[i, 0], weights[i, 1], weights[i, 2])
        at = _place_of_source(pairs, c, x, told)
        if at < 0:
            continue
        if at == pairs.sourced[c]:
            pairs.sourced[c] += 1
        elif pairs.sources[c, at] != x:
            _set_forward(pairs, pairs.sources[c, at], c, _NOTHING)
        pairs.sources[c, at] = x
        pairs.source_weights[c, at, 0] = told[0]
        pairs.source_weights[c, at, 1] = told[1]
        pairs.source_weights[c, at, 2] = told[2]
        _set_forward(pairs, x, c, told)


@kernel
def _place_of_source(pairs: Pairs, c: int, x: int, told: _Told) -> int:
    """Return where x stands, or may stand, among the sources of row c; -1 for nowhere."""
    count = pairs.sourced[c]
    at = _place_in(pairs.sources[c], count, x)
    if at >= 0:
        return at
    if count < pairs.sources.shape[1]:
        return int(count)
    weakest, least = -1, told[0] + np.float32(PASSAGE_WEIGHT) * told[1]
    for i in range(count):
        known = pairs.source_weights[c, i]
        close = known[0] + np.float32(PASSAGE_WEIGHT) * known[1]
        if close < least:
            weakest, least = i, close
    return weakest


@kernel
def scale_pairs(pairs: Pairs, factor: float) -> None:
    """Multiply every weight, where the landmark moves; the order of no list changes."""
    scale = np.float32(factor)
    pairs.ties[:] *= scale
    pairs.least[:] *= scale
    pairs.out_weight[:] *= factor
    pairs.source_weights[:] *= scale


@kernel
def _set_forward(pairs: Pairs, x: int, c: int, told: _Told) -> None:
    """Say in both lists how c followed x; an item does not go together with itself."""
    forward, passages, bought = told
    followed = np.float32(0.0) if x == c else passages
    closeness = forward + np.float32(PASSAGE_WEIGHT) * followed
    j = _place(pairs, x, c, closeness)
    if j >= 0:
        tie = pairs.ties[x, j]
        if forward < tie[TIE_FORWARD] or followed < tie[TIE_FOLLOWED]:
            pairs.least[x] = 0.0
        pairs.out_weight[x] += np.float64(forward) - np.float64(tie[TIE_FORWARD])
        tie[TIE_FORWARD] = forward
        tie[TIE_BOUGHT] = bought
        tie[TIE_FOLLOWED] = followed
        _drop_if_empty(pairs, x, j)
    if x != c:
        j = _place(pairs, c, x, np.float32(PASSAGE_WEIGHT) * followed)
        if j >= 0:
            tie = pairs.ties[c, j]
            if followed < tie[TIE_PRECEDED]:
                pairs.least[c] = 0.0
            tie[TIE_PRECEDED] = followed
            _drop_if_empty(pairs, c, j)


@kernel
def _place(pairs: Pairs, owner: int, other: int, closeness: np.float32) -> int:
    """Return where `other` stands in the owner's list, given a place if it earns one, else -1."""
    row, degree = pairs.neighbours[owner], pairs.degree[owner]
    at = _place_in(row, degree, other)
    if at >= 0:
        return at
    if closeness <= np.float32(0.0):
        return -1
    if degree < len(row):
        pairs.degree[owner] = degree + 1
        return _begin(pairs, owner, degree, other)
    if closeness <= pairs.least[owner]:
        return -1
    weakest, least = 0, np.float32(np.inf)
    for j in range(degree):
        tie = pairs.ties[owner, j]
        passages = tie[TIE_FOLLOWED] + tie[TIE_PRECEDED]
        close = tie[TIE_FORWARD] + np.float32(PASSAGE_WEIGHT) * passages
        if close < least:
            weakest, least = j, close
    pairs.least[owner] = least
    if closeness <= least:
        return -1
    pairs.out_weight[owner] -= np.float64(pairs.ties[owner, weakest, TIE_FORWARD])
    return _begin(pairs, owner, weakest, other)


@kernel
def _place_in(row: NDArray[np.int32], count: int, slot: int) -> int:
    """Return where a slot stands among the first `count` of a row, none of which comes twice."""
    at = np.int32(-1)
    for j in range(np.int32(count)):  # to the end, so that it vectorises
        at = max(at, np.int32(j) if row[j] == slot else np.int32(-1))
    return int(at)


@kernel
def _begin(pairs: Pairs, owner: int, j: int, other: int) -> int:
    pairs.neighbours[owner, j] = other
    pairs.ties[owner, j] = 0.0
    return j


@kernel
def _drop_if_empty(pairs: Pairs, owner: int, j: int) -> None:
    tie = pairs.ties[owner, j]
    if tie[TIE_FORWARD] + tie[TIE_FOLLOWED] + tie[TIE_PRECEDED] > 0.0:
        return
    last = pairs.degree[owner] - 1
    pairs.neighbours[owner, j] = pairs.neighbours[owner, last]
    tie[:] = pairs.ties[owner, last]
    pairs.degree[owner] = last
