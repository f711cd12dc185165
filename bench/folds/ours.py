"""Headrace: the worker's decoding and its step over the users of a batch, rows in memory.

The step also makes the signals to the items. The index is empty, so that no factors are learnt:
neither River nor a dict learns any.
"""

from collections.abc import Sequence

from bench.folds.tape import Taped, run
from features.events import Event, Kind
from features.profile import Profile
from ranker.items import ItemIndex
from streams import steps
from streams.codec import decode_event

_KINDS = tuple(Kind)
_rows: dict[str, Profile] = {}
_index = ItemIndex()


def decode(records: Sequence[Taped]) -> list[Event]:
    """Decode and clean."""
    return [decode_event(_KINDS[kind], key, value, ts) for kind, key, value, ts in records]


def learn(events: Sequence[Event], first: int) -> None:
    """Learn the events, as a worker does."""
    offsets = range(first, first + len(events))
    _rows.update(steps.learn_users(_rows, events, 0, offsets, _index).rows)


if __name__ == "__main__":
    run(decode, learn)
