"""The catalogue: every feature that rows and lists hold, and what each is worth at a time.

One source for `headrace features list`, `headrace features explain`, docs/features.md and the tests
of ranges. A new field of a row, or a new feature of the vector, has to be described here.
"""

import numpy as np
from numpy.typing import NDArray

from features import of_items, of_users
from features.feature import Feature, Owner, Value
from features.item import ItemRow
from features.of_items import item_features
from features.of_lists import list_features
from features.of_standings import standing_features
from features.of_users import user_features
from features.profile import Profile
from features.standing import Standing

__all__ = ["BOOKKEEPING", "FEATURES", "Feature", "Owner", "Value", "features_of", "values"]

FEATURES: tuple[Feature, ...] = (
    *user_features(),
    *item_features(),
    *standing_features(),
    *list_features(),
)
"""All of them: the user row's, the item row's, the standing's, then the vector's in its order."""
BOOKKEEPING: dict[Owner, dict[str, str]] = {
    "user": of_users.BOOKKEEPING,
    "item": of_items.BOOKKEEPING,
}
"""Owner -> fields of its row that no feature is read from, and what they are for."""


def features_of(owner: Owner) -> tuple[Feature, ...]:
    """Return the features of an owner, in the order of its row."""
    return tuple(feature for feature in FEATURES if feature.owner == owner)


def values(
    owner: Owner, row: Profile | ItemRow | Standing | NDArray[np.float32], now: int
) -> dict[str, Value]:
    """Return the value of every feature of a row.

    Args:
        owner: Whose row it is.
        row: The row of a user or an item; an item's standing; of a list, one candidate's vector
            (see `features.vector.compute`).
        now: Event time in ms.
    """
    return {feature.name: feature.compute(row, now) for feature in features_of(owner)}
