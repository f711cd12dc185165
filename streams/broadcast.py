"""What every worker knows of items: an index, and statistics of categories that go into it.

The worker and `headrace features explain` feed them from `item-state`, the evaluation from its own
rows; all call these two functions.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from features.item import ItemRow
from features.levels import CategoryLevels
from features.standing import figures_of, lead
from ranker.items import ItemIndex, ItemState
from streams.item_states import content_of, item_state


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
    index.put_many(_states(index, levels, newest))
    contents = {
        item_id: content
        for item_id, row in newest.items()
        if row.content_space == index.space and (content := content_of(row)) is not None
    }
    if contents:
        index.put_vectors(list(contents), np.stack(list(contents.values())))


def _states(
    index: ItemIndex, levels: CategoryLevels, rows: Mapping[str, ItemRow]
) -> Iterator[ItemState]:
    """Put items into the statistics one after the other, and yield the state of each."""
    for item_id, row in rows.items():
        slot, figures = index.slot(item_id), figures_of(row)
        if figures is None:
            levels.drop(slot)
            yield item_state(item_id, row)
        else:
            category = levels.put(slot, figures)
            yield item_state(item_id, row, lead(figures, category), index.mark(slot))


def forget_item(index: ItemIndex, levels: CategoryLevels, item_id: str) -> None:
    """Let rankings and category statistics forget an item whose row is gone, known or not."""
    index.remove(item_id)
    for slot in index.slots([item_id]).tolist():
        if slot >= 0:
            levels.drop(slot)
