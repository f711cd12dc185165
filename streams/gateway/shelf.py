"""What the catalogue says of each item: a copy on this machine's disk, out of the item broadcast.

It is made anew at every start, since the broadcast is read from its beginning anyway. An item's row
comes whenever somebody touches the item; its entry is written when the catalogue has changed it.
"""

import shutil
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec

from features.events import Item
from features.item import NEVER, ItemRow
from ranker.items import ItemIndex
from streams.engine.rocks import Memory, Rocks

_OWNER = "catalogue entries"
_CACHE_MB = 16
_KEY = b"i"  # before an item's id: no id meets the keys that the database keeps for itself
_ITEM: msgspec.msgpack.Decoder[Item] = msgspec.msgpack.Decoder(Item)
_encode = msgspec.msgpack.Encoder().encode


class ItemShelf:
    """The copy: 8 bytes an item in memory, the rest on disk.

    Args:
        directory: Its own.
        index: Numbers the items; it is told of each row before this copy is.
    """

    def __init__(self, directory: Path, index: ItemIndex) -> None:
        self._directory = directory
        self._index = index
        self._offsets = array("q")  # of the entry that is here, by slot
        self._rocks: Rocks | None = None

    def open(self) -> None:
        """Begin with nothing; what another run has left is deleted.

        Raises:
            StoreError: the directory cannot be used.
        """
        if self._directory.exists():
            self._opened().close()  # it is ours, and nobody is at work in it
            shutil.rmtree(self._directory)
        self._rocks = self._opened()

    def close(self) -> None:
        """Let go of the directory."""
        if self._rocks is not None:
            self._rocks.close()
            self._rocks = None

    def take(self, rows: Sequence[tuple[str, ItemRow | None]]) -> None:
        """Take rows of the broadcast; None where a row is gone."""
        slots = self._index.slots([item_id for item_id, _ in rows]).tolist()
        if missing := len(self._index) - len(self._offsets):
            self._offsets.extend([NEVER] * missing)
        changed = []
        for slot, (item_id, row) in zip(slots, rows, strict=True):
            offset = NEVER if row is None else row.catalog_offset
            if slot >= 0 and offset != self._offsets[slot]:
                self._offsets[slot] = offset
                entry = None if row is None else row.item
                changed.append((_key(item_id), None if entry is None else _stored(entry)))
        if changed and self._rocks is not None:
            self._rocks.write(
                changed, None, logged=False
            )  # a crash loses what the next start reads

    def find(self, item_ids: Sequence[str]) -> list[Item | None]:
        """Return each item's entry without its embedding; None where the catalogue has none."""
        if self._rocks is None:
            return [None] * len(item_ids)
        found = self._rocks.get_many([_key(item_id) for item_id in item_ids])
        return [None if value is None else _ITEM.decode(value) for value in found]

    def _opened(self) -> Rocks:
        return Rocks(self._directory, _OWNER, Memory(_CACHE_MB))


def _key(item_id: str) -> bytes:
    return _KEY + item_id.encode()


def _stored(item: Item) -> bytes:
    if item.embedding is not None:  # for the ranker: kilobytes that no page shows
        item = msgspec.structs.replace(item, embedding=None)
    return _encode(item)
