"""The features of how an item stands in its category."""

from collections.abc import Iterator
from functools import partial

from features.category import MAX_LEVEL, MIN_PRICES, MIN_SCALE, PRIOR_CLICKS
from features.cleaning import MAX_LEVELS
from features.feature import Feature
from features.standing import FAR, PRIOR_TOUCHES

_of = partial(Feature, "standing")


def standing_features() -> Iterator[Feature]:
    """Yield every feature of a standing, in the order of its fields."""
    yield _of(
        "category_items",
        "category_items",
        "Items in its category and the narrower ones, itself included; all items where it has no "
        "category.",
        "items",
        lambda row, _: row.category_items,
    )
    yield from _price()
    yield from _conversion()
    yield from _lead()


def _price() -> Iterator[Feature]:
    yield _of(
        "price",
        "price_or_usual",
        "Its price; where the catalogue has none or 0, the usual one, which `price_imputed` marks.",
        "currency",
        lambda row, _: row.price,
        high=1e12,
        missing=None,
    )
    yield _of(
        "price_imputed",
        "price_imputed",
        "1 where the item's own price is not known and the usual one stands in.",
        "0 or 1",
        lambda row, _: float(row.price_imputed),
        high=1,
    )
    yield _of(
        "price_category_levels",
        "price_category_levels",
        f"Whose usual price that is: levels of the narrowest category of {MIN_PRICES} prices or "
        "more; 0 is all items.",
        "levels",
        lambda row, _: row.price_category_levels,
        high=MAX_LEVELS,
        missing=None,
    )
    yield _of(
        "price_level",
        "price_level",
        "How far its own ln(price) lies above that category's median: robust z-score, clipped.",
        "deviations",
        lambda row, _: row.price_level,
        low=-MAX_LEVEL,
        high=MAX_LEVEL,
        missing=None,
    )
    yield _of(
        "category_price",
        "category_price",
        "That category's median price, right to 2 %.",
        "currency",
        lambda row, _: row.category_price,
        high=1.03e12,
        missing=None,
    )
    yield _of(
        "category_price_scale",
        "category_price_scale",
        "That category's deviation: 1.4826 times the median absolute deviation of ln(price).",
        "ln(currency)",
        lambda row, _: row.category_price_scale,
        low=MIN_SCALE,
        high=52,
        missing=None,
    )


def _conversion() -> Iterator[Feature]:
    yield _of(
        "conversion",
        "conversion",
        f"Purchases per click, smoothed: the category's counts as {PRIOR_CLICKS} clicks. None in "
        "a shop that tells of no clicks, or of no purchases.",
        "purchases / click",
        lambda row, _: row.conversion,
        high=1,
        missing=None,
    )
    yield _of(
        "conversion_imputed",
        "conversion_imputed",
        "1 where nobody clicked on the item or bought it, and the category's stands in.",
        "0 or 1",
        lambda row, _: float(row.conversion_imputed),
        high=1,
    )
    yield _of(
        "category_conversion",
        "category_conversion",
        "Purchases per click in its category, each category's smoothed towards the wider one's.",
        "purchases / click",
        lambda row, _: row.category_conversion,
        high=1,
        missing=None,
    )


def _lead() -> Iterator[Feature]:
    yield _of(
        "lead",
        "demand_lead",
        f"ln of how many times its category's usual clicks (or purchases, where they are more) it "
        f"has, {PRIOR_TOUCHES} added to both; 1 is {FAR} times, -1 the {FAR}th part, clipped.",
        f"ln / ln {FAR}",
        lambda row, _: row.lead.demand,
        low=-1,
        high=1,
    )
    yield _of(
        "lead",
        "conversion_lead",
        "Likewise of how many times its category's `conversion` its own is; 0 where none is known.",
        f"ln / ln {FAR}",
        lambda row, _: row.lead.conversion,
        low=-1,
        high=1,
    )
