"""How an item stands in its category: what its row says, beside what is usual there."""

import math
from typing import NamedTuple

from msgspec import Struct

from features.category import Level, smoothed, z_score
from features.events import Kind
from features.item import ItemRow
from features.levels import CategoryLevels, Figures

PRIOR_TOUCHES = 10
"""Added to touches that are compared, so that little traffic tells little."""
FAR = 50
"""Being ahead, or behind, by more than so many times says no more than that."""


class Lead(NamedTuple):
    """How far an item is ahead of its category: 0 as usual or unknown, 1 far ahead, -1 far behind.

    Logarithms to base `FAR` of how many times the usual.

    Attributes:
        demand: In clicks or purchases ever, whichever are more, with `PRIOR_TOUCHES` on both sides.
        conversion: In purchases per click, smoothed.
    """

    demand: float = 0.0
    conversion: float = 0.0


class Standing(Struct, frozen=True, kw_only=True, gc=False):
    """An item beside the others of its category; None where something is not known.

    Attributes:
        category_items: Items in its category, itself among them.
        price: Its own, or the usual one of the narrowest category that knows one.
        price_imputed: Whether `price` is not its own.
        price_category_levels: Names in the path of the category that `price_level`,
            `category_price` and `category_price_scale` are of; 0 is all items.
        price_level: Robust z-score of its own price (see `levels.z_score`).
        category_price: Median price.
        category_price_scale: Robust standard deviation of ln(price).
        conversion: Purchases per click, smoothed towards the category's.
        conversion_imputed: Whether that is the category's alone: nobody clicked on the item or
            bought it.
        category_conversion: The category's, smoothed towards the wider ones'.
        lead: How far it is ahead.
    """

    category_items: int
    price: float | None
    price_imputed: bool
    price_category_levels: int | None
    price_level: float | None
    category_price: float | None
    category_price_scale: float | None
    conversion: float | None
    conversion_imputed: bool
    category_conversion: float | None
    lead: Lead


def figures_of(row: ItemRow) -> Figures | None:
    """Return what an item adds to its categories; None for one that the catalogue took back.

    An item that only events know has no category and no price. One out of stock counts.
    """
    if row.deleted:
        return None
    clicks, purchases = row.touches[Kind.CLICK], row.touches[Kind.PURCHASE]
    if row.item is None:
        return Figures(clicks=clicks, purchases=purchases)
    entry = row.item
    return Figures(entry.category or (), entry.price or None, clicks, purchases, entry.domain or "")


def standing(row: ItemRow, levels: CategoryLevels) -> Standing:
    """Return how an item stands among all items of its domain that the levels hold, itself too.

    A deleted item is compared with all items of the default domain.
    """
    figures = figures_of(row) or Figures()
    path, price, domain = figures.path, figures.price, figures.domain
    found = levels.priced(path, domain)
    level, spread = (None, None) if found is None else found
    usual = None if spread is None else math.exp(spread.median)
    rate = levels.conversion(path, domain)
    trials = _trials(figures)
    return Standing(
        category_items=levels.at(path, domain).items,
        price=usual if price is None else price,
        price_imputed=price is None and usual is not None,
        price_category_levels=None if level is None else len(level.path),
        price_level=None if price is None or spread is None else z_score(price, spread),
        category_price=usual,
        category_price_scale=None if spread is None else spread.scale,
        conversion=None if rate is None else smoothed(figures.purchases, trials, rate),
        conversion_imputed=rate is not None and trials == 0,
        category_conversion=rate,
        lead=lead(figures, levels.at(path, domain)),
    )


def lead(figures: Figures, category: Level) -> Lead:
    """Return how far an item is ahead of its category, by what that holds at the moment."""
    trials, usual, rate = _trials(figures), category.touches(), category.conversion()
    own = None if rate is None else smoothed(figures.purchases, trials, rate)
    return Lead(
        _times((trials + PRIOR_TOUCHES) / (usual + PRIOR_TOUCHES)),
        _times(own / rate) if own and rate else 0.0,
    )


def _trials(figures: Figures) -> int:
    return max(figures.clicks, figures.purchases)


def _times(ratio: float) -> float:
    return min(max(math.log(ratio, FAR), -1.0), 1.0)
