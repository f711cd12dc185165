"""The nearest items to a query: all are looked at, or of very many those in the nearest cells."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ranker.cells import Cells, build, put
from ranker.exact import nearest
from ranker.probing import nearest_in_cells
from ranker.selection import Filters, Space, unfiltered
from ranker.sketch import Sketch, draw, fastest, new_sketch, sketch_of

EXACT_ITEMS = 100_000
"""So many rows are all looked at: up to here that takes about as long as the rest of a list, and
needs no cells to be built whenever a model is new."""

Aside: TypeAlias = Callable[[Callable[[], None]], None]
"""Runs a job that takes its time: at once, or in another thread, whatever else goes on."""


def at_once(job: Callable[[], None]) -> None:
    """Run a job now; what depends on it is then the same in every run."""
    job()


class Nearest:
    """Finds the items of one kind of vectors by inner product, while vectors come, change and go.

    One thread tells it of changes; any may search. While cells are built, the old ones serve; of a
    new model's vectors, whose old cells say nothing, all are looked at. For that there is a sketch
    of them, which a search brings up to date.

    Args:
        aside: runs the building of cells.
    """

    def __init__(self, aside: Aside = at_once) -> None:
        self._aside = aside
        self._lock = Lock()
        self._space = Space(np.empty((0, 0), np.float32), np.empty(0, np.bool_))
        self._there = bytearray()  # by slot: whether it has a row
        self._count = 0
        self._cells: Cells | None = None
        self._changes_left = 0  # until the cells are built anew
        self._building = False
        self._replaced = False  # since the building began
        self._changed: set[int] = set()  # likewise
        self._sketch: Sketch | None = None  # of all rows, while all are looked at
        self._undrawn = np.empty(0, np.bool_)  # by slot: whether its row has changed since

    def __len__(self) -> int:
        """Count the rows."""
        return self._count

    @property
    def cells(self) -> Cells | None:
        """What searches look into; None: at all rows."""
        return self._cells if self._count > EXACT_ITEMS else None

    def replace(self, space: Space) -> None:
        """Take note that all rows are others now.

        Args:
            space: whole arrays, (cap, D), that changes are written to from now on.
        """
        with self._lock:
            self._space, self._there = space, bytearray(space.known)
            self._count = sum(self._there)
            self._cells, self._replaced, self._sketch = None, True, None
            due = self._due()
        if due:
            self._aside(self._build)

    def follow(self, space: Space, slots: Sequence[int]) -> None:
        """Take note of rows that have come, changed or gone.

        Args:
            space: as in `replace`, with the changes.
            slots: the rows.
        """
        with self._lock:
            self._space, there, undrawn = space, self._there, self._undrawn
            there.extend(bytes(max(len(space.known) - len(there), 0)))
            for slot, known in zip(slots, space.known[slots].tolist(), strict=True):
                self._count += known - there[slot]
                there[slot] = known
                if slot < len(undrawn):
                    undrawn[slot] = True
            if self._building:
                self._changed.update(slots)
            if self._cells is not None:
                for slot in slots:
                    self._cells = put(self._cells, space, slot)
                self._changes_left -= len(slots)
            due = self._due()
        if due:
            self._aside(self._build)

    def search(
        self, filters: Filters, queries: NDArray[np.float32], space: Space, top: int
    ) -> NDArray[np.int32]:
        """Return the `top` allowed items of each list, best first, (B, top), padded with -1.

        Args:
            filters: what each of B lists may show.
            queries: (B, D).
            space: the rows to find; may be of a moment ago.
            top: how many.
        """
        cells = self.cells
        if cells is None or cells.centres.shape[1] != queries.shape[1]:
            return nearest(filters, queries, space, self._drawn(space), top)
        return nearest_in_cells(filters, queries, space, cells, top)

    def _drawn(self, asked: Space) -> Sketch:
        """Return a sketch of all rows; what has changed since the last search is drawn anew."""
        with self._lock:
            rows, sketch = self._space.vectors, self._sketch
            if rows.shape[1] != asked.vectors.shape[1]:  # those of another model have just come
                return sketch_of(asked.vectors, fastest())
            if sketch is None or sketch.codes.shape != rows.shape:
                self._sketch = sketch = new_sketch(len(rows), rows.shape[1], fastest())
                self._undrawn = np.ones(len(rows), np.bool_)
            draw(sketch, rows, np.flatnonzero(self._undrawn))
            self._undrawn[:] = False
            return sketch

    def _due(self) -> bool:
        """Say, under the lock, whether to begin building."""
        if self._building or self._count <= EXACT_ITEMS:
            return False
        self._building = self._cells is None or self._changes_left <= 0
        return self._building

    def _build(self) -> None:
        try:
            while not self._built():
                pass
        except BaseException:
            with self._lock:
                self._building = False
            raise

    @staticmethod
    def _tried(cells: Cells, space: Space) -> Cells:
        """Search and change once, so that no list has to wait for the compiler."""
        query = np.zeros((1, space.vectors.shape[1]), np.float32)
        nearest_in_cells(unfiltered(len(space.known), 1), query, space, cells, 1)
        return put(cells, space, 0)

    def _built(self) -> bool:
        """Build cells and let them take over; not if all rows were replaced meanwhile."""
        with self._lock:
            space, rows = self._space, self._count
            self._replaced, self._changed = False, set()
            if rows <= EXACT_ITEMS:
                self._building = False
                return True
        cells = self._tried(build(space), space)
        while True:
            with self._lock:
                if self._replaced:
                    return False
                space, changed, self._changed = self._space, self._changed, set()
                if not changed:
                    self._cells, self._changes_left, self._building = cells, rows, False
                    self._sketch = None
                    return True
            for slot in changed:
                cells = put(cells, space, slot)
