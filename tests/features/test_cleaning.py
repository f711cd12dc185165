from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.cleaning import (
    MAX_ATTRIBUTES,
    MAX_LEVELS,
    MAX_NAME,
    MAX_QUANTITY,
    MAX_QUERY,
    MAX_TAGS,
    MAX_TITLE,
    BadField,
    clean_event,
    clean_item,
    mended,
)
from features.events import Click, Filters, Item, Purchase, Search

CLICK = Click(event_id="e", user_id="u", item_id="i", ts=1)


def search(query: str, **more: Any) -> Search:
    return Search(event_id="e", user_id="u", query=query, ts=1, **more)


def test_what_is_clean_is_handed_back_itself() -> None:
    for event in (CLICK, search("red mug"), Purchase(event_id="e", user_id="u", item_id="i", ts=1)):
        assert clean_event(event) is event


def test_a_query_is_put_on_one_line_normalised_and_cut() -> None:
    assert clean_event(search(" red\n\t \uff4d\uff55\uff47 ")) == search("red mug")
    assert clean_event(search("x" * 4000)) == search("x" * MAX_QUERY)


def purchase(**more: Any) -> Purchase:
    return Purchase(event_id="e", user_id="u", item_id="i", ts=1, **more)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("EUR", "EUR"),
        (" eur\n", "EUR"),
        ("\uff35\uff33\uff24", "USD"),
        ("euro", None),
        ("€", None),
        ("E1R", None),
        ("ZZZ", None),  # in the form of a code, but nobody's
        ("DEM", None),  # no longer money
        ("ßd", None),  # SSD, South Sudan's, in upper case
        ("", None),
    ],
)
def test_a_currency_is_of_the_list_or_none_and_the_price_stays(
    given: str, kept: str | None
) -> None:
    assert clean_event(purchase(price=5.0, currency=given)) == purchase(price=5.0, currency=kept)


def test_a_quantity_is_clipped() -> None:
    assert clean_event(purchase(quantity=1e9)) == purchase(quantity=MAX_QUANTITY)
    assert clean_event(purchase(quantity=0.5)) == purchase(quantity=0.5)


purchases = st.builds(
    Purchase,
    event_id=st.just("e"),
    user_id=st.just("u"),
    item_id=st.just("i"),
    ts=st.just(1),
    quantity=st.none() | st.floats(0, 1e12, exclude_min=True),
    price=st.none() | st.floats(0, 1e12),
    currency=st.none() | st.text(max_size=8) | st.sampled_from(["gbp", " Eur", "US$"]),
)


@given(purchases)
def test_cleaning_a_purchase_is_done_once_bounds_it_and_names_what_it_mended(
    event: Purchase,
) -> None:
    cleaned = clean_event(event)
    assert isinstance(cleaned, Purchase)
    assert clean_event(cleaned) is cleaned
    assert cleaned.price == event.price
    assert (cleaned.quantity is None) == (event.quantity is None)
    assert 0 < (cleaned.quantity or 1) <= MAX_QUANTITY
    assert cleaned.currency is None or len(cleaned.currency.encode()) == 3
    changed = {"quantity": (event.quantity or 0) > MAX_QUANTITY}
    changed["currency"] = event.currency not in {None, "", cleaned.currency}
    assert mended(event, cleaned) == [field for field, is_so in changed.items() if is_so]


def test_prices_that_nothing_passes_are_refused() -> None:
    with pytest.raises(BadField, match=r"`filters.price_max` is 1, but .* `filters.price_min`, 2"):
        clean_event(search("q", filters=Filters(price_min=2, price_max=1)))


@pytest.mark.parametrize(
    ("event", "field", "reason"),
    [
        (Click(event_id="", user_id="u", item_id="i", ts=1), "event_id", "empty_id"),
        (Click(event_id="e", user_id=" \t", item_id="i", ts=1), "user_id", "empty_id"),
        (Click(event_id="e", user_id="u", item_id="", ts=1), "item_id", "empty_id"),
        (Click(event_id="e", user_id="u", item_id="i" * 129, ts=1), "item_id", "id_too_long"),
        (Click(event_id="e", user_id="é" * 65, item_id="i", ts=1), "user_id", "id_too_long"),
        (
            Click(event_id="e", user_id="\U0001f6d2" * 33, item_id="i", ts=1),
            "user_id",
            "id_too_long",
        ),
        (
            Click(event_id="e", user_id="u", item_id="i", ts=1, search_id=""),
            "search_id",
            "empty_id",
        ),
        (
            Purchase(event_id="e", user_id="u", item_id="i", ts=1, session_id=" "),
            "session_id",
            "empty_id",
        ),
        (search("q", candidates=("i", " ")), "candidates", "empty_id"),
        (search("q", filters=Filters(exclude=("i", "\n"))), "filters.exclude", "empty_id"),
    ],
)
def test_a_bad_id_is_named(event: Click | Search | Purchase, field: str, reason: str) -> None:
    with pytest.raises(BadField, match=f"`{field}` is '") as caught:
        clean_event(event)
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert len(str(caught.value)) < 300


def test_ids_of_128_bytes_are_taken_as_they_are() -> None:
    ids = ["é" * 64, "i" * 128, " padded ", "ﬁ"]
    for item_id in ids:
        event = Click(event_id=item_id, user_id=item_id, item_id=item_id, ts=1)
        assert clean_event(event) is event


def test_an_item_is_tidied_and_its_empty_parts_dropped() -> None:
    item = Item(
        item_id="i",
        title="  Red\nMug ",
        description=" ",
        category=("Kitchen ", "", " Mugs"),
        brand="",
        tags=("new", "new ", " "),
        attributes={" colour ": " red ", "size": 3, "empty": "", "none": None, "fits": False},
        image_url=" https://shop.test/mug.jpg ",
        embedding=(),
    )
    assert clean_item(item) == Item(
        item_id="i",
        title="Red Mug",
        category=("Kitchen", "Mugs"),
        tags=("new",),
        attributes={"colour": "red", "size": 3, "fits": False},
        image_url="https://shop.test/mug.jpg",
    )


@pytest.mark.parametrize(
    ("given", "path"),
    [
        (("Home > Kitchen > Mugs",), ("Home", "Kitchen", "Mugs")),
        (("", " Home \uff1e  Kitchen "), ("Home", "Kitchen")),
        (("TV/Audio",), ("TV/Audio",)),
        (("A>B",), ("A>B",)),
        (("Home > Kitchen", "Mugs"), ("Home > Kitchen", "Mugs")),
        (("Mugs > Mugs",), ("Mugs",)),
        ((" > ".join("abcdefghij"),), tuple("abcdefgh")),
        ((" > ".join(["x" * 200, "y" * 200]),), ("x" * MAX_NAME, "y" * MAX_NAME)),
    ],
)
def test_a_path_in_one_text_is_split_where_that_is_plain(
    given: tuple[str, ...], path: tuple[str, ...]
) -> None:
    cleaned = clean_item(Item(item_id="i", category=given))
    assert cleaned.category == path
    assert clean_item(cleaned).category == path


def test_what_was_mended_is_named_and_what_was_empty_is_not() -> None:
    item = Item(item_id="i", title=" Mug", brand=" ", category=(), tags=("a", "a"), description="")
    assert mended(item, clean_item(item)) == ["title", "brand", "tags"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "https://" + "x" * 2048]
)
def test_an_image_that_no_page_should_show_is_refused(url: str) -> None:
    with pytest.raises(BadField, match="image_url"):
        clean_item(Item(item_id="i", image_url=url))


def test_an_item_that_ends_before_it_starts_is_refused() -> None:
    assert clean_item(Item(item_id="i", available_from=5, available_to=5)).available_to == 5
    with pytest.raises(BadField, match="`available_to` is 4, but it must not come before"):
        clean_item(Item(item_id="i", available_from=5, available_to=4))


texts = st.none() | st.text(max_size=30) | st.text(min_size=500, max_size=600)
paths = st.lists(st.text() | st.text(" >a"), max_size=12).map(" > ".join)
items = st.builds(
    Item,
    item_id=st.text(min_size=1, max_size=20).filter(lambda text: not text.isspace()),
    title=texts,
    brand=texts,
    category=st.none() | st.lists(st.text() | paths, max_size=20).map(tuple),
    tags=st.none() | st.lists(st.text(), max_size=50).map(tuple),
    attributes=st.none()
    | st.dictionaries(st.text(), st.text() | st.integers(0, 9) | st.none(), max_size=80),
)


@given(items)
def test_cleaning_an_item_is_done_once_and_bounds_it(item: Item) -> None:
    cleaned = clean_item(item)
    assert clean_item(cleaned) == cleaned
    assert cleaned.item_id == item.item_id
    assert len(cleaned.title or "") <= MAX_TITLE
    assert len(cleaned.category or ()) <= MAX_LEVELS
    assert all(0 < len(name) <= MAX_NAME for name in cleaned.category or ())
    assert len(cleaned.tags or ()) <= MAX_TAGS
    assert len(cleaned.attributes or ()) <= MAX_ATTRIBUTES
