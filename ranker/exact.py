"""The nearest of all rows: a first look at sketches of all, a second one at what may be it.

A few rows, evenly spread, let guess how close the nearest are; rows that are certainly not so close
are passed over. Where fewer than are wanted turn out to be so close, all are looked at again.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import inlined, kernel
from ranker.selection import Best, Filters, Space, allowed, inner_product, new_best, offer
from ranker.sketch import ERROR, LENGTH, STEP, Sketch, multiply, sketch_of

BLOCK = 2**18  # scores of one product stay in the cache: 8,192 items for 32 lists
SPREAD = 17  # the guess is by one row of so many; a prime, for kinds of items may come in turns
ROOM = 6  # times as many as are wanted may be it before those are sorted out that cannot be

_Floats = NDArray[np.float32]


class _Rows(NamedTuple):
    """The rows to find, and their sketches."""

    vectors: _Floats  # (I, D)
    known: NDArray[np.bool_]  # (I,)
    codes: NDArray[Any]  # (I, D)
    terms: _Floats  # (I, 3)


class _Asked(NamedTuple):
    """What B lists look for, and the sketches of that."""

    filters: Filters
    queries: _Floats  # (B, D)
    codes: NDArray[Any]  # (B, D)
    terms: _Floats  # (B, 3)


class _Block(NamedTuple):
    """What sketches say of one row of `spread`, from `begin` on."""

    scores: NDArray[Any]  # (n, B)
    terms: _Floats  # (n, 3)
    known: NDArray[np.bool_]  # (n,)
    begin: int
    spread: int


class _Maybe(NamedTuple):
    """Rows that may be among the nearest of each list, in the order of their slots."""

    low: _Floats  # (B, R) between this and the next its inner product lies
    high: _Floats  # (B, R)
    slots: NDArray[np.int32]  # (B, R)
    sizes: NDArray[np.int32]  # (B,)
    least: _Floats  # (B,) what is certainly below is none


def nearest(
    filters: Filters, queries: _Floats, space: Space, sketch: Sketch, top: int
) -> NDArray[np.int32]:
    """Return the `top` allowed items of each list by inner product, best first, padded with -1.

    The search is exact (see `ranker.nearest` for when).

    Args:
        filters: what each of B lists may show.
        queries: (B, D).
        space: the items' vectors.
        sketch: of them; it may have more rows, and what it has no row of is not found.
        top: how many.

    Returns:
        slots, (B, top); of equals those that come first.
    """
    items = min(len(space.known), len(sketch.codes))
    rows = _Rows(
        space.vectors[:items], space.known[:items], sketch.codes[:items], sketch.terms[:items]
    )
    asked = _asked(filters, queries, rows)
    guess = _guessed(asked, rows, top)
    best = _not_below(guess, asked, rows, top)
    wrong = np.flatnonzero((guess > -np.inf) & (best.values[:, -1] < guess))
    if len(wrong):
        nothing = np.full(len(wrong), -np.inf, np.float32)
        asked = _asked(filters.of(wrong), queries[wrong], rows)
        best.slots[wrong] = _not_below(nothing, asked, rows, top).slots
    return best.slots


def _guessed(asked: _Asked, rows: _Rows, top: int) -> _Floats:
    """Return what the nearest are nearly certainly not below, (B,); -inf where few are allowed."""
    few = top / SPREAD  # of the nearest are among those looked at, give or take the root of it
    best = new_best(len(asked.codes), math.ceil(few + 3 * math.sqrt(few)) + 1)
    best.values[:] = -np.inf
    for block in _blocks(asked, rows, SPREAD):
        _offer(asked, block, best)
    return best.values[:, -1]


def _not_below(least: _Floats, asked: _Asked, rows: _Rows, top: int) -> Best:
    """Return the nearest of those that are not below `least`, (B,)."""
    lists, room = len(asked.codes), ROOM * top
    maybe = _Maybe(
        low=np.empty((lists, room), np.float32),
        high=np.empty((lists, room), np.float32),
        slots=np.empty((lists, room), np.int32),
        sizes=np.zeros(lists, np.int32),
        least=least.copy(),
    )
    for block in _blocks(asked, rows, 1):
        _look(asked, block, maybe, rows.vectors, top)
    best = new_best(lists, top)
    best.values[:] = -np.inf
    _look_again(asked, maybe, rows.vectors, best)
    return best


def _asked(filters: Filters, queries: _Floats, rows: _Rows) -> _Asked:
    queries = np.ascontiguousarray(queries)
    return _Asked(filters, queries, *sketch_of(queries, rows.codes.dtype.type))


def _blocks(asked: _Asked, rows: _Rows, spread: int) -> Iterator[_Block]:
    """Multiply queries by one row of `spread`, block by block; a block holds until the next."""
    codes, terms, known = rows.codes[::spread], rows.terms[::spread], rows.known[::spread]
    # Few queries are packed for the product, not many items.
    columns = np.ascontiguousarray(asked.codes.T)
    kind = np.int32 if codes.dtype == np.int8 else np.float32
    size = max(1, min(BLOCK // len(asked.codes), len(codes)))
    scratch = np.empty((size, len(asked.codes)), kind)
    for begin in range(0, len(codes), size):
        part = slice(begin, begin + size)
        scores = scratch[: len(codes[part])]
        multiply(codes[part], columns, scores)
        yield _Block(scores, terms[part], known[part], begin * spread, spread)


@kernel
def _offer(asked: _Asked, block: _Block, best: Best) -> None:
    """Let the best by their sketches in."""
    steps = asked.terms[:, STEP].copy()
    least = best.values[:, -1] / steps
    scores, terms, known = block.scores, block.terms, block.known
    for i in range(len(known)):
        step, likely = terms[i, STEP], 0
        for b in range(len(steps)):  # a loop that vectorises, where most items end
            likely += np.float32(scores[i, b]) * step > least[b]
        if not likely or not known[i]:
            continue
        slot = block.begin + i * block.spread
        for b in range(len(steps)):
            score = np.float32(scores[i, b]) * step
            if score > least[b] and allowed(asked.filters, b, slot):
                values, slots = best.values[b], best.slots[b]
                best.sizes[b] = offer(values, slots, best.sizes[b], score * steps[b], slot)
                least[b] = values[-1] / steps[b]


@kernel
def _look(asked: _Asked, block: _Block, maybe: _Maybe, vectors: _Floats, top: int) -> None:
    """Keep what may be among the nearest."""
    lists, room = maybe.low.shape
    steps = asked.terms[:, STEP].copy()  # what follows is counted in these
    errors, least = asked.terms[:, ERROR] / steps, maybe.least / steps
    lengths = asked.terms[:, LENGTH] / steps + errors
    scores, terms, known = block.scores, block.terms, block.known
    for i in range(len(known)):
        step, error, length, likely = terms[i, STEP], terms[i, ERROR], terms[i, LENGTH], 0
        for b in range(lists):  # a loop that vectorises, where most items end
            margin = lengths[b] * error + errors[b] * length
            likely += np.float32(scores[i, b]) * step + margin >= least[b]
        if not likely or not known[i]:
            continue
        slot = block.begin + i
        for b in range(lists):
            score = np.float32(scores[i, b]) * step
            margin = lengths[b] * error + errors[b] * length
            if score + margin >= least[b] and allowed(asked.filters, b, slot):
                size = maybe.sizes[b]
                maybe.low[b, size] = (score - margin) * steps[b]
                maybe.high[b, size] = (score + margin) * steps[b]
                maybe.slots[b, size] = slot
                maybe.sizes[b] = size + 1
                if size + 1 == room:
                    _sort_out(asked.queries[b], maybe, b, vectors, top)
                    least[b] = maybe.least[b] / steps[b]


@kernel
def _sort_out(query: _Floats, maybe: _Maybe, b: int, vectors: _Floats, top: int) -> None:
    """Drop what cannot be among the nearest; where that is little, all that is not."""
    _drop(maybe, b, top)
    if maybe.sizes[b] <= len(maybe.low[b]) // 2:
        return
    for at in range(maybe.sizes[b]):
        product = inner_product(query, vectors[maybe.slots[b, at]])
        maybe.low[b, at] = maybe.high[b, at] = product
    _drop(maybe, b, top)
    equals, kept = top, 0  # places for those that are just as close as the last
    for at in range(maybe.sizes[b]):
        equals -= maybe.low[b, at] > maybe.least[b]
    for at in range(maybe.sizes[b]):
        equal = maybe.low[b, at] == maybe.least[b]
        if not equal or equals > 0:
            _move(maybe, b, at, kept)
            kept += 1
            equals -= equal
    maybe.sizes[b] = kept


@kernel
def _drop(maybe: _Maybe, b: int, top: int) -> None:
    """Drop what is certainly less close than so many as are wanted."""
    size, kept = maybe.sizes[b], 0
    if size <= top:
        return
    least = max(maybe.least[b], np.partition(maybe.low[b, :size], size - top)[size - top])
    for at in range(size):
        if maybe.high[b, at] >= least:
            _move(maybe, b, at, kept)
            kept += 1
    maybe.least[b], maybe.sizes[b] = least, kept


@inlined
def _move(maybe: _Maybe, b: int, at: int, to: int) -> None:
    maybe.low[b, to], maybe.high[b, to] = maybe.low[b, at], maybe.high[b, at]
    maybe.slots[b, to] = maybe.slots[b, at]


@kernel
def _look_again(asked: _Asked, maybe: _Maybe, vectors: _Floats, best: Best) -> None:
    """Compare the rows themselves of what is left."""
    for b in range(len(best.sizes)):
        _drop(maybe, b, best.values.shape[1])
        slots, products, size = maybe.slots[b, : maybe.sizes[b]], maybe.low[b], 0
        for at in range(len(slots)):  # one does not wait for the other to come from memory
            products[at] = inner_product(asked.queries[b], vectors[slots[at]])
        for at in range(len(slots)):
            size = offer(best.values[b], best.slots[b], size, products[at], slots[at])
        best.sizes[b] = size
