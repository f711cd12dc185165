"""What a list is limited to by the caller: categories, brands, prices."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.columns import Columns


class Limits(NamedTuple):
    """An item must pass all; an empty set and the default prices let everything pass."""

    categories: frozenset[str] = frozenset()  # case-folded; one level of the path is among them
    brands: frozenset[str] = frozenset()  # case-folded
    price_min: float = 0.0  # inclusive; above 0, an item without a price does not pass
    price_max: float = math.inf  # inclusive, likewise


def outside(
    columns: Columns,
    size: int,
    categories: Mapping[tuple[str, ...], int],
    brands: Mapping[str, int],
    limits: Limits,
) -> NDArray[np.int32]:
    """Return the slots that do not pass, in order: one pass over the columns that limits name.

    Args:
        columns: all items.
        size: so many slots are in use.
        categories: path -> its code in the columns.
        brands: name -> likewise.
        limits: what to pass.
    """
    passing = np.ones(size, np.bool_)
    if limits.categories:
        wanted = [
            code
            for path, code in categories.items()
            if not limits.categories.isdisjoint(level.casefold() for level in path)
        ]
        passing &= np.isin(columns.category[:size], wanted)
    if limits.brands:
        wanted = [code for brand, code in brands.items() if brand.casefold() in limits.brands]
        passing &= np.isin(columns.brand[:size], wanted)
    if limits.price_min > 0 or limits.price_max < math.inf:
        price = columns.price[:size]
        # Prices are kept in 32 bits: a limit that is the price itself must not fail by rounding.
        least, most = np.float32(limits.price_min), np.float32(limits.price_max)
        passing &= (price > 0) & (price >= least) & (price <= most)
    return np.flatnonzero(~passing).astype(np.int32)
