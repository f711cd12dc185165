"""What the catalogue says of one feature."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from math import inf
from typing import Any, Literal, TypeAlias

Owner: TypeAlias = Literal["user", "item", "standing", "list"]
"""Whose row holds the feature; "standing": how an item stands in its category, of which no row is
kept; "list": the vector that the ranker sees of a candidate."""
Value: TypeAlias = float | None
Compute: TypeAlias = Callable[[Any, int], Value]
"""The row and a time in ms -> the value at that time."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes:
        owner: Whose it is.
        field: The field of the row that it is read from; of a list, the feature's own name.
        name: Unique among the features of its owner.
        meaning: One sentence.
        unit: Of the value.
        compute: Reads the value. A time before the row's newest event counts as that event's.
        low, high: No value lies outside; both inclusive, infinite where there is no bound.
        missing: The value where nothing is known; None means that the value says so itself.
    """

    owner: Owner
    field: str
    name: str
    meaning: str
    unit: str
    compute: Compute
    _: KW_ONLY
    low: float = 0.0
    high: float = inf
    missing: Value = 0.0
