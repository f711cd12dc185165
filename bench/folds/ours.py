"""Headrace: the worker's decoding and its step over the users of a batch, rows in memory.

The step does all that it does in a worker: rules, rows, leanings and factors of users, signals to
items. The index knows the catalogue, and no item has learnt factors yet.
"""

from collections.abc import Sequence

from bench.folds.tape import Taped, run
from features.events import Event, Kind
from features.item import catalogued, new_item
from features.profile import Profile
from ranker.items import ItemIndex
from streams import steps
from streams.codec import decode_event
from streams.data import shops
from streams.item_states import item_state
from streams.settings import Settings

_KINDS = tuple(Kind)
_RULES = Settings.model_construct().rules  # the defaults, whatever the environment says


def new_index() -> ItemIndex:
    """Return an index that knows the shops' catalogues."""
    index = ItemIndex()
    for shop in shops():
        for entry in shop.items():
            index.put(item_state(entry.item_id, catalogued(new_item(), entry, 0)))
    return index


def decode(records: Sequence[Taped]) -> list[Event]:
    """Decode and clean."""
    return [decode_event(_KINDS[kind], key, value, ts) for kind, key, value, ts in records]


def learn(
    rows: dict[str, Profile], events: Sequence[Event], first: int, index: ItemIndex
) -> dict[str, Profile]:
    """Learn the events, as a worker does; return the rows that changed."""
    offsets = range(first, first + len(events))
    return steps.learn_users(rows, events, 0, offsets, index, rules=_RULES).rows


def main() -> None:
    """Fold, rows in memory."""
    rows: dict[str, Profile] = {}
    index = new_index()
    run(decode, lambda events, first: rows.update(learn(rows, events, first, index)))


if __name__ == "__main__":
    main()
