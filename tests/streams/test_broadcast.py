"""An index is shown an item's row, and how far it is ahead of its category at that moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from features.events import Item
from features.item import ItemRow, catalogued, new_item
from features.levels import CategoryLevels
from features.standing import standing
from ranker.items import ItemIndex
from streams.broadcast import forget_item, show_items

touches = st.tuples(st.integers(0, 500), st.just(0), st.integers(0, 50))
leaves = st.sampled_from([None, ("Kitchen", "Mugs"), ("Kitchen", "Pans"), ("Garden",)])


@st.composite
def rows(draw: st.DrawFn) -> ItemRow:
    entry = Item(item_id="i", category=draw(leaves), price=draw(st.none() | st.floats(1, 99)))
    row = replace(catalogued(new_item(), entry, 0), touches=draw(touches))
    return catalogued(row, None, 1) if draw(st.booleans()) else row


@given(shown=st.lists(st.tuples(st.sampled_from("abcd"), rows()), min_size=1, max_size=12))
def test_an_item_leads_by_what_all_items_were_when_it_was_shown(
    shown: list[tuple[str, ItemRow]],
) -> None:
    index, levels = ItemIndex(neighbours=1), CategoryLevels()
    for number, (item_id, told) in enumerate(shown):
        row = replace(told, catalog_offset=number)  # of another record than what was told before
        show_items(index, levels, [(item_id, row)])
        (slot,) = index.slots([item_id]).tolist()
        expected = (0.0, 0.0) if row.deleted else standing(row, levels).lead
        assert index.columns.leads[slot].tolist() == pytest.approx(expected, abs=1e-6)
    forget_item(index, levels, shown[-1][0])
    assert index.columns.leads[slot].tolist() == [0, 0]
    assert index.leaf(slot) == ""
