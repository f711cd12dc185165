"""An item beside its category: what is not known is marked, and never a silent 0."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from features.category import MIN_PRICES
from features.events import Item, Kind
from features.item import ItemRow, catalogued, new_item
from features.levels import CategoryLevels, Figures
from features.standing import FAR, Lead, figures_of, lead, standing
from tests.features.test_catalogue import items

MUGS = ("Kitchen", "Mugs")


def row(
    price: float | None, path: tuple[str, ...] | None = MUGS, clicks: int = 0, purchases: int = 0
) -> ItemRow:
    touches = [0] * len(Kind)
    touches[Kind.CLICK], touches[Kind.PURCHASE] = clicks, purchases
    entry = Item(item_id="i", price=price, category=path)
    return replace(catalogued(new_item(), entry, 0), touches=tuple(touches))


def shop(*rows: ItemRow) -> CategoryLevels:
    levels = CategoryLevels()
    for slot, one in enumerate(rows):
        figures = figures_of(one)
        assert figures is not None
        levels.put(slot, figures)
    return levels


TEN = [row(10.0, clicks=100, purchases=5) for _ in range(MIN_PRICES)]


def test_a_price_is_set_beside_the_categorys() -> None:
    found = standing(row(10.0 * math.exp(0.2)), shop(*TEN))
    assert found.category_items == MIN_PRICES
    assert found.category_price == pytest.approx(10, rel=0.02)
    assert found.price_level == pytest.approx(2, abs=0.2)
    assert (found.price_imputed, found.price_category_levels) == (False, 2)


@pytest.mark.parametrize("price", [None, 0.0])
def test_a_missing_price_is_the_categorys_and_says_so(price: float | None) -> None:
    found = standing(row(price), shop(*TEN))
    assert found.price == pytest.approx(10, rel=0.02)
    assert (found.price_imputed, found.price_level) == (True, None)


def test_where_no_category_knows_a_price_there_is_none() -> None:
    found = standing(row(None), shop(row(10.0), row(None)))
    assert (found.price, found.category_price, found.price_category_levels) == (None, None, None)
    assert not found.price_imputed
    own = standing(row(10.0), shop(row(10.0)))
    assert (own.price, own.price_level, own.price_imputed) == (10.0, None, False)


def test_an_unseen_item_converts_like_its_category_and_a_tried_one_like_itself() -> None:
    levels = shop(*TEN, *[row(1.0, ("Garden",), 1000, 500) for _ in range(5)])
    new = standing(row(None), levels)
    assert new.conversion == pytest.approx(new.category_conversion)
    assert new.conversion_imputed
    assert new.conversion is not None
    assert 0.05 < new.conversion < 0.12  # 25 of 500, drawn towards 2,525 of 5,500
    tried = standing(row(10.0, clicks=10_000, purchases=9_000), levels)
    assert tried.conversion == pytest.approx(0.9, abs=0.01)
    assert not tried.conversion_imputed


@pytest.mark.parametrize(("clicks", "purchases"), [(3, 0), (0, 3)])
def test_a_shop_that_tells_one_kind_alone_knows_no_conversion(clicks: int, purchases: int) -> None:
    one = row(10.0, clicks=clicks, purchases=purchases)
    found = standing(one, shop(one))
    assert (found.conversion, found.category_conversion, found.conversion_imputed) == (
        None,
        None,
        False,
    )


def test_leads_say_how_many_times_the_usual() -> None:
    levels = shop(*TEN, *[row(10.0, ("Garden",), 10, 0) for _ in range(5)])
    mugs = levels.at(MUGS)
    assert lead(Figures(MUGS, None, 100, 5), mugs) == pytest.approx(Lead(0.0, 0.0), abs=0.01)
    ahead = lead(Figures(MUGS, None, 3 * 110 - 10, 0), mugs)
    assert ahead.demand == pytest.approx(math.log(3, FAR))
    assert ahead.conversion < 0
    far = lead(Figures(MUGS, None, 10**9, 10**9), mugs)
    assert (far.demand, far.conversion) == pytest.approx((1.0, 0.75), abs=0.05)


@given(one=items(), others=st.lists(items(), max_size=6))
def test_leads_are_bounded_and_grow_with_what_they_compare(
    one: ItemRow, others: list[ItemRow]
) -> None:
    levels = shop(*[other for other in others if not other.deleted])
    figures = figures_of(one) or Figures()
    category = levels.at(figures.path, figures.domain)
    found = lead(figures, category)
    assert all(-1 <= value <= 1 for value in found)
    more = figures._replace(purchases=figures.purchases + 1)
    assert lead(more, category).demand >= found.demand
    if figures.purchases < figures.clicks:
        assert lead(more, category).conversion >= found.conversion
    assert standing(one, levels).lead == found


def test_what_the_catalogue_took_back_counts_no_more() -> None:
    deleted = catalogued(row(10.0), None, 1)
    assert figures_of(deleted) is None
    assert standing(deleted, shop(*TEN)).category_items == MIN_PRICES  # of all items


@given(one=items(), others=st.lists(items(), max_size=4))
def test_an_item_counts_where_it_stands(one: ItemRow, others: list[ItemRow]) -> None:
    levels = shop(*[other for other in others if not other.deleted])
    before = standing(one, levels)
    figures = figures_of(one)
    if figures is None:
        return
    levels.put(len(others), figures)
    # Its category may have opened with it, with no others in it.
    assert 1 <= standing(one, levels).category_items <= before.category_items + 1
