"""An item that is newer than the model lies where its catalogue entry says."""

import numpy as np
import pytest

from features.attributes import token_ids, tokens
from features.events import Item
from features.item import ItemRow, catalogued, decode_item, encode_item, new_item
from features.levels import CategoryLevels
from ranker.items import ItemIndex
from ranker.model import Model
from ranker.training import Recipe
from streams.broadcast import show_items
from streams.item_states import content_of, read_entries
from streams.models import new_model
from tests.ranker.histories import a_click_a_second

QUICK = Recipe(few_targets=20)
COLOURS = ("red", "blue", "green", "black")


def entry(number: int, title: str = "mug") -> Item:
    return Item(item_id=f"mug-{number}", title=f"{title} {COLOURS[number % 4]}")


def trained(seed: int = 0) -> Model:
    """A model of eight mugs, of which people look at those of one colour."""
    model = new_model()
    items = [entry(number) for number in range(8)]
    contents = {item.item_id: token_ids(tokens(item)) for item in items}
    histories = a_click_a_second(*([f"mug-{c}", f"mug-{c + 4}", f"mug-{c}"] for c in range(4))) * 5
    model.fit(histories, contents, epochs=5, seed=seed, recipe=QUICK)
    return model


@pytest.fixture(scope="module")
def model() -> Model:
    return trained()


def row_of(item: Item, offset: int = 0) -> ItemRow:
    return catalogued(new_item(), item, offset)


def test_the_row_of_a_new_item_says_where_it_lies_and_is_read_once(model: Model) -> None:
    rows = {"mug-9": row_of(entry(9))}
    read = read_entries(rows, model)
    assert read.keys() == rows.keys()
    found = content_of(read["mug-9"])
    assert found is not None
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-2)
    assert read_entries(read, model) == {}
    assert decode_item(encode_item(read["mug-9"])) == read["mug-9"]


def test_an_item_that_the_model_knows_is_not_read(model: Model) -> None:
    assert read_entries({"mug-1": row_of(entry(1))}, model) == {}


def test_what_has_no_entry_or_meets_no_tower_is_not_read(model: Model) -> None:
    assert read_entries({"mug-9": new_item()}, model) == {}
    assert read_entries({"mug-9": row_of(entry(9))}, new_model()) == {}


def test_another_entry_and_another_model_read_anew(model: Model) -> None:
    read = read_entries({"mug-9": row_of(entry(9))}, model)["mug-9"]
    other = catalogued(read, entry(10), 1)
    assert other.content == b""
    assert read_entries({"mug-9": other}, model)["mug-9"].content != read.content
    again = read_entries({"mug-9": read}, trained(1))["mug-9"]
    assert again.content_space != read.content_space


def test_an_entry_of_unknown_words_is_read_once_and_says_nothing(model: Model) -> None:
    strange = Item(item_id="mug-9", title="Zwiebelkuchen")
    read = read_entries({"mug-9": row_of(strange)}, model)
    assert content_of(read["mug-9"]) is None
    assert read_entries(read, model) == {}


def test_the_index_learns_where_a_new_item_lies_but_not_of_another_model(model: Model) -> None:
    index = ItemIndex()
    model.install(index)
    rows = {"mug-9": row_of(entry(9)), "mug-1": row_of(entry(1))}
    read = (
        rows | read_entries(rows, model) | read_entries({"mug-11": row_of(entry(11))}, trained(1))
    )
    before = index.vectors[index.slots(["mug-1"])].copy()
    show_items(index, CategoryLevels(), list(read.items()))
    assert index.has_vector[index.slots(["mug-9", "mug-1", "mug-11"])].tolist() == [
        True,
        True,
        False,
    ]
    np.testing.assert_array_equal(index.vectors[index.slots(["mug-1"])], before)
    alike = index.vectors[index.slots(["mug-9"])] @ index.vectors[index.slots(["mug-1", "mug-2"])].T
    assert alike[0, 0] > alike[0, 1], "it is as blue as the one"
