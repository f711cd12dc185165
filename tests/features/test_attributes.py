"""Tokens are bounded, told apart by where they come from, and the same everywhere and always."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from features.attributes import MAX_TOKENS, VOCABULARY, Token, numbers, token_ids, tokens
from features.cleaning import clean_item
from features.events import Item
from features.levels import CategoryLevels, Figures
from features.text import terms

texts = st.text(max_size=12)
names = st.lists(texts, max_size=40).map(tuple)
scalars = st.none() | texts | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.booleans()
entries = st.builds(
    Item,
    item_id=st.just("i"),
    title=st.none() | st.text(max_size=80),
    category=st.none() | names,
    brand=st.none() | texts,
    tags=st.none() | names,
    attributes=st.none() | st.dictionaries(texts, scalars, max_size=70),
    price=st.none() | st.floats(0, 1e12),
).map(clean_item)


@given(item=entries)
def test_tokens_are_few_distinct_and_of_the_range(item: Item) -> None:
    found = tokens(item)
    assert len(set(found)) == len(found) <= MAX_TOKENS
    ids = token_ids(found)
    assert ids.shape == (len(found),)
    assert ids.dtype == np.int32
    assert ((ids > 0) & (ids < VOCABULARY)).all()
    assert [one.text for one in found if one.namespace == "title"] == terms(item.title or "")


@given(item=entries, rng=st.randoms())
def test_neither_order_nor_case_nor_the_codec_matters(item: Item, rng: Random) -> None:
    pairs = list((item.attributes or {}).items())
    rng.shuffle(pairs)
    tags = list(item.tags or ())
    rng.shuffle(tags)
    floats = {name: float(value) if type(value) is int else value for name, value in pairs}
    other = replace(item, attributes=floats or None, tags=tuple(tags) or None)
    assert tokens(other) == tokens(item)


def test_what_says_the_same_elsewhere_is_another_token() -> None:
    item = Item(
        item_id="i",
        title="Red, RED mug",
        category=("Red", "Mugs"),
        brand="Red",
        tags=("red",),
        attributes={"colour": "Red", "size": 2.0, "gift": True},
    )
    found = tokens(item)
    assert found == (
        Token("title", "red"),
        Token("title", "mug"),
        Token("category", "red"),
        Token("category", "mugs"),
        Token("brand", "red"),
        Token("attribute", "colour=red"),
        Token("attribute", "gift=true"),
        Token("attribute", "size=2"),
        Token("tag", "red"),
    )
    assert len(set(token_ids(found).tolist())) == len(found)


def test_ids_never_change() -> None:
    """A trained model has learnt what each of them means."""
    assert token_ids([Token("title", "red"), Token("brand", "tañé")]).tolist() == [30649, 8575]


def test_ids_spread_evenly() -> None:
    ids = token_ids(Token("title", str(number)) for number in range(3 * VOCABULARY))
    held = np.bincount(ids, minlength=VOCABULARY)
    assert held[0] == 0
    assert held.max() < 20  # 3 on average: of Poisson's law, 20 or more has a chance of 1e-6
    assert (held[1:] == 0).mean() == pytest.approx(np.exp(-3), rel=0.1)


@given(price=st.none() | st.floats(0, 1e9), factor=st.floats(1.01, 1e3))
def test_a_price_stands_where_it_lies_in_its_category(price: float | None, factor: float) -> None:
    levels = CategoryLevels()
    for slot in range(9):
        levels.put(slot, Figures(("mugs",), 10.0 * 1.5 ** (slot - 4)))
    item = Item(item_id="i", category=("Mugs",), price=price)
    level, known = numbers(item, levels).tolist()
    assert -1 <= level <= 1
    assert known == bool(price)
    if price:
        dearer = numbers(replace(item, price=price * factor), levels)
        assert dearer[0] >= level
        assert (level > 0) == (price > 10.2) or 9.8 <= price <= 10.2
    else:
        assert level == 0
    assert numbers(item, CategoryLevels()).tolist() == [0, 0]
