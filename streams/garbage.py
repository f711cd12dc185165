"""Python's search for cycles, in a process that keeps very many rows."""

import gc

THRESHOLD = (50_000, 20, 50)
"""New objects before the young ones are searched, and so on; Python's own is (700, 10, 10)."""


def calm() -> None:
    """Search less often, and never again through what is there by now.

    Rows are trees: they go when nobody holds them. To search all of them for cycles takes longer
    the more there are, and finds nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLD)
