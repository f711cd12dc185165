"""What a search's filters mean to the ranker."""

import math

from features.cleaning import MAX_NAME
from features.events import Filters, Names
from features.text import tidy
from ranker.limits import Limits


def limits_of(filters: Filters) -> Limits:
    """Return the limits that a list must keep, names spelt as the catalogue's are compared."""
    return Limits(
        categories=_folded(filters.category),
        brands=_folded(filters.brand),
        price_min=filters.price_min or 0.0,
        price_max=math.inf if filters.price_max is None else filters.price_max,
    )


def _folded(names: Names | None) -> frozenset[str]:
    """Return the names tidied and without case."""
    given = (names,) if isinstance(names, str) else names or ()
    return frozenset(tidy(name, MAX_NAME).casefold() for name in given)
