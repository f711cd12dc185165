"""What every worker knows of items: an index and statistics of categories, fed alike.

The worker and `headrace features explain` feed them from `item-state`, the evaluation from its own
rows; all call these two functions.
"""

from collections.abc import Sequence

from features.item import ItemRow
from features.levels import CategoryLevels
from features.standing import figures_of
from ranker.items import ItemIndex
from streams.item_states import item_state


def show_items(
    index: ItemIndex, levels: CategoryLevels, rows: Sequence[tuple[str, ItemRow]]
) -> None:
    """Let rankings and category statistics see items as they are now.

    Args:
        index: All items.
        levels: Statistics of all items; a slot is the index's.
        rows: Item id and row; of two for one item the later holds.
    """
    index.put_many(item_state(item_id, row) for item_id, row in rows)
    for item_id, row in rows:
        slot, figures = index.slot(item_id), figures_of(row)
        if figures is None:
            levels.drop(slot)
        else:
            levels.put(slot, figures)


def forget_item(index: ItemIndex, levels: CategoryLevels, item_id: str) -> None:
    """Let rankings and category statistics forget an item whose row is gone, known or not."""
    index.remove(item_id)
    for slot in index.slots([item_id]).tolist():
        if slot >= 0:
            levels.drop(slot)
