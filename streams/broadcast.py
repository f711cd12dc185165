"""What every worker knows of items: an index, and statistics of categories that go into it.

The worker and `headrace features explain` feed them from `item-state`, the evaluation from its own
rows; all call these two functions.
"""

from collections.abc import Sequence

import numpy as np

from features.item import ItemRow
from features.levels import CategoryLevels
from features.standing import figures_of, lead
from ranker.items import ItemIndex
from streams.batches import batched
from streams.item_states import Change, content_of, item_states

_AT_ONCE = 1024  # items are shown at once at most


def show_items(
    index: ItemIndex, levels: CategoryLevels, rows: Sequence[tuple[str, ItemRow]]
) -> None:
    """Let rankings and category statistics see items as they are now.

    How far an item is ahead of its category is what the statistics say at this moment. It stays so
    until the item changes again, though the others of the category go on changing.

    Where a model has put the catalogue entry of an item that it has no vector of, the index learns
    that too, unless it holds another model's vectors.

    Args:
        index: All items.
        levels: Statistics of all items; a slot is the index's.
        rows: Item id and row; of two for one item the later holds.
    """
    newest = dict(rows)
    for some in batched(newest.items(), _AT_ONCE):
        index.put_many(item_states([_change(index, levels, item_id, row) for item_id, row in some]))
    contents = {
        item_id: content
        for item_id, row in newest.items()
        if row.content_space == index.space and (content := content_of(row)) is not None
    }
    if contents:
        index.put_vectors(list(contents), np.stack(list(contents.values())))


def _change(index: ItemIndex, levels: CategoryLevels, item_id: str, row: ItemRow) -> Change:
    """Put an item into the statistics, and say how rankings are to see it."""
    slot, figures = index.slot(item_id), figures_of(row)
    if figures is None:
        levels.drop(slot)
        return Change(item_id, row)
    category = levels.put(slot, figures)
    return Change(item_id, row, lead(figures, category), index.mark(slot))


def forget_item(index: ItemIndex, levels: CategoryLevels, item_id: str) -> None:
    """Let rankings and category statistics forget an item whose row is gone, known or not."""
    index.remove(item_id)
    for slot in index.slots([item_id]).tolist():
        if slot >= 0:
            levels.drop(slot)
