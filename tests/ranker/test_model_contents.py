"""What a model learns of the catalogue: items that no history had, and those that are new."""

import numpy as np
from numpy.typing import NDArray

from features.vector import NAMES
from ranker.checkpoint import load_bytes
from ranker.history import recent_of
from ranker.items import ItemIndex
from ranker.model import Model
from tests.ranker.histories import QUICK, a_click_a_second, shop_histories, touched
from tests.ranker.shops import name


def contents_of(items: int) -> dict[str, NDArray[np.int32]]:
    """Return entries in which each item says what it is like: its place on the ring of items."""
    return {name(i): np.array([1 + i // 4, 101 + i % 4], np.int32) for i in range(items)}


def test_an_item_that_no_history_had_gets_a_vector_from_its_entry_and_keeps_it_when_saved() -> None:
    model = Model(NAMES)
    model.fit(shop_histories(), contents_of(24), epochs=3, seed=1, recipe=QUICK)
    assert model.item_ids[20:] == tuple(name(i) for i in range(20, 24))
    for one in (model, Model.load(model.save(), NAMES)):
        index = ItemIndex()
        one.install(index)
        assert index.has_vector[index.slots(contents_of(24))].all()
        encoded = one.encode(recent_of([touched(index, name(22))]), index)
        assert encoded is not None
        assert encoded[0].any()
    assert model.save() == Model.load(model.save(), NAMES).save()


def test_a_catalogue_of_items_that_nobody_touched_teaches_nothing_and_breaks_nothing() -> None:
    model, index = Model(NAMES), ItemIndex()
    others = {"unheard of": np.array([7], np.int32)}
    model.fit(shop_histories(), others, epochs=1, seed=1, recipe=QUICK)
    model.install(index)
    assert not model.knows("unheard of")
    assert index.has_vector[index.slots([name(3)])].all()


def test_an_item_that_is_touched_for_the_first_time_starts_where_its_entry_lies() -> None:
    model, index = Model(NAMES), ItemIndex()
    model.fit(shop_histories(), contents_of(24), epochs=3, seed=1, recipe=QUICK)
    model.install(index)
    said = index.vectors[index.slots([name(21)])].copy()
    later = [*shop_histories(), *a_click_a_second([name(21), name(22)])]
    model.fit(later, contents_of(24), epochs=1, seed=1, max_steps=1, recipe=QUICK)
    model.install(index)
    assert name(21) in model.item_ids[:22]
    assert (index.vectors[index.slots([name(21)])] @ said.T).item() > 0.9


def test_without_a_catalogue_nothing_is_read_and_nothing_is_kept() -> None:
    with_none, without = Model(NAMES), Model(NAMES)
    with_none.fit(shop_histories(), {}, epochs=1, seed=1, recipe=QUICK)
    without.fit(shop_histories(), epochs=1, seed=1, recipe=QUICK)
    assert with_none.save() == without.save()
    assert not any("content" in key for key in load_bytes(without.save(), NAMES).arrays)
