"""Cells of rows, kept up as rows change, so that a search need not look at all (`ranker.probing`).

A cell is the rows that are nearer to its centre than to any other. It holds copies of them, one
after the other in memory: a search that gathered them from all over an array of a million would
wait for memory three times as long.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.selection import Space

CELLS_PER_ROOT = 4  # cells = 4 sqrt(rows): looking for the nearest costs about what they hold does
SPREADS = 2.0  # that a cell's best row is taken to be ahead of its centre, standard deviations
SAMPLED = 32  # rows of each cell, on average, that the centres are learnt from
ROUNDS = 6  # of learning them; later ones hardly move a centre
SLACK = 4  # rows that a cell has room for beyond an eighth more than it holds
SPARE = 2  # times the room of all cells is set aside, for cells that grow out of theirs
SEED = 0  # of the sample: equal rows in equal slots lie in equal cells
_BLOCK = 1024  # rows compared with all centres at once: their products stay in the cache

_Floats = NDArray[np.float32]
_Slots = NDArray[np.int32]


class Cells(NamedTuple):
    """C cells of rows of D dimensions. Cell c holds members[start[c]:start[c] + size[c]].

    Searches may go on while one thread moves rows: a row that moves is in both cells before it is
    in one. Growth makes a new tuple, and whoever holds an old one may go on reading it.
    """

    centres: _Floats  # (C, D)
    halves: _Floats  # (C,) half the squared length of each centre
    ahead: _Floats  # (C,) what a cell's best row has ahead of its centre, by a query of length 1
    start: NDArray[np.int64]  # (C,)
    room: _Slots  # (C,) members from `start` on that are this cell's
    size: _Slots  # (C,)
    members: _Slots  # (M,) slots
    rows: _Floats  # (M, D) of the members; memory that was never used takes no room
    used: NDArray[np.int64]  # (1,) members from here on are nobody's yet
    cell: _Slots  # (cap,) of each slot, -1 = none


def build(space: Space) -> Cells:
    """Sort all known rows into new cells: some 30 s for a million rows of 96 dimensions.

    It only reads, and holds Python's lock for moments only. Rows that change meanwhile must be
    `put` afterwards.
    """
    slots = np.flatnonzero(space.known).astype(np.int32)
    centres = _centres(space.vectors, slots, max(1, int(CELLS_PER_ROOT * math.sqrt(len(slots)))))
    halves = _halves(centres)
    cell = _nearest(space.vectors, slots, centres, halves)
    size = np.bincount(cell, minlength=len(centres)).astype(np.int32)
    room = size + size // 8 + SLACK
    ends = np.cumsum(room, dtype=np.int64)
    places = SPARE * int(ends[-1])
    cells = Cells(
        centres=centres,
        halves=halves,
        ahead=_ahead(space.vectors, slots, cell, centres),
        start=ends - room,
        room=room,
        size=size,
        members=np.zeros(places, np.int32),
        rows=np.zeros((places, centres.shape[1]), np.float32),
        used=ends[-1:].copy(),
        cell=np.full(len(space.known), -1, np.int32),
    )
    cells.cell[slots] = cell
    order = np.argsort(cell, kind="stable")
    begins = np.cumsum(size) - size
    at = cells.start[cell[order]] + np.arange(len(order)) - begins[cell[order]]
    _fill(cells, at, slots[order], space.vectors)
    return cells


def put(cells: Cells, space: Space, slot: int) -> Cells:
    """Let a row's cell follow a change of the row; one that is not known any more leaves.

    Args:
        cells: changed in place.
        space: with the row as it is now.
        slot: the row.

    Returns:
        The cells to go on with.
    """
    to, row = -1, space.vectors[slot]
    if space.known[slot]:
        to = int((cells.centres @ row - cells.halves).argmax())
    while not _move(cells, slot, to, row):
        cells = _wider(cells, slot)
    return cells


def _centres(vectors: _Floats, slots: _Slots, count: int) -> _Floats:
    """Return centres by k-means over a sample; of no rows, one in the middle."""
    if not len(slots):
        return np.zeros((1, vectors.shape[1]), np.float32)
    random = np.random.default_rng(SEED)
    sample = random.choice(slots, min(len(slots), SAMPLED * count), replace=False)
    centres: _Floats = vectors[sample[:count]]
    for _ in range(ROUNDS):
        cell = _nearest(vectors, sample, centres, _halves(centres))
        sizes = _average(vectors, sample, cell, centres)
        empty = np.flatnonzero(sizes == 0)
        centres[empty] = vectors[random.choice(sample, len(empty))]
    return centres


def _halves(centres: _Floats) -> _Floats:
    halves: _Floats = np.einsum("cd,cd->c", centres, centres) / np.float32(2)
    return halves


def _nearest(vectors: _Floats, slots: _Slots, centres: _Floats, halves: _Floats) -> _Slots:
    """Return the centre that is nearest to each row, (len(slots),)."""
    found = np.empty(len(slots), np.int32)
    for begin in range(0, len(slots), _BLOCK):
        closeness = vectors[slots[begin : begin + _BLOCK]] @ centres.T
        closeness -= halves
        found[begin : begin + _BLOCK] = closeness.argmax(axis=1)
    return found


@kernel
def _average(vectors: _Floats, slots: _Slots, cell: _Slots, centres: _Floats) -> NDArray[np.int64]:
    """Move every centre to the mean of its rows; return how many each has."""
    sizes = np.zeros(len(centres), np.int64)
    centres[:] = 0.0
    for i in range(len(slots)):
        sizes[cell[i]] += 1
        for j in range(centres.shape[1]):
            centres[cell[i], j] += vectors[slots[i], j]
    for c in range(len(centres)):
        if sizes[c] > 0:
            centres[c] /= np.float32(sizes[c])
    return sizes


@kernel
def _ahead(vectors: _Floats, slots: _Slots, cell: _Slots, centres: _Floats) -> _Floats:
    """Return `SPREADS` standard deviations of the rows of each cell, along any one direction."""
    squares, sizes = np.zeros(len(centres), np.float64), np.zeros(len(centres), np.int64)
    dims = centres.shape[1]
    for i in range(len(slots)):
        c, slot, total = cell[i], slots[i], np.float32(0.0)
        for j in range(dims):
            total += (vectors[slot, j] - centres[c, j]) ** 2
        squares[c] += total
        sizes[c] += 1
    ahead = np.zeros(len(centres), np.float32)
    for c in range(len(centres)):
        if sizes[c] > 0:
            ahead[c] = SPREADS * math.sqrt(squares[c] / (sizes[c] * dims))
    return ahead


@kernel
def _fill(cells: Cells, at: NDArray[np.int64], slots: _Slots, vectors: _Floats) -> None:
    """Write members and their rows into their places."""
    for i in range(len(at)):
        cells.members[at[i]] = slots[i]
        cells.rows[at[i]] = vectors[slots[i]]


@kernel
def _place_of(cells: Cells, c: int, slot: int) -> int:
    """Return where a cell holds one of its members."""
    at = cells.start[c]
    while cells.members[at] != slot:
        at += 1
    return int(at)


@kernel
def _move(cells: Cells, slot: int, to: int, row: _Floats) -> bool:
    """Move a row into a cell, or with -1 out of any; say whether there was room."""
    if slot >= len(cells.cell):
        return False
    before = cells.cell[slot]
    members, rows, start, size = cells.members, cells.rows, cells.start, cells.size
    if before == to:
        if to >= 0:
            rows[_place_of(cells, to, slot)] = row
        return True
    if to >= 0:
        if size[to] == cells.room[to]:
            begin, more = cells.used[0], 2 * cells.room[to]
            if begin + more > len(members):
                return False
            for i in range(size[to]):
                members[begin + i] = members[start[to] + i]
                rows[begin + i] = rows[start[to] + i]
            start[to] = begin
            cells.room[to] = more
            cells.used[0] = begin + more
        members[start[to] + size[to]] = slot
        rows[start[to] + size[to]] = row
        size[to] += 1
    if before >= 0:
        at, last = _place_of(cells, before, slot), start[before] + size[before] - 1
        members[at] = members[last]
        rows[at] = rows[last]
        size[before] -= 1
    cells.cell[slot] = to
    return True


def _wider(cells: Cells, slot: int) -> Cells:
    """Return the same cells with room for the slot, or for as many members again."""
    if slot >= len(cells.cell):
        more = max(len(cells.cell), slot + 1 - len(cells.cell))
        return cells._replace(cell=np.append(cells.cell, np.full(more, -1, np.int32)))
    return cells._replace(
        members=np.concatenate([cells.members, np.zeros_like(cells.members)]),
        rows=np.concatenate([cells.rows, np.zeros_like(cells.rows)]),
    )
