"""Items as the workers tell of them, for gateways whose workers are elsewhere."""

from msgspec.structs import replace

from features.decay import Decayed
from features.events import Item
from features.item import HALF_LIVES_MS, ItemRow, catalogued, encode_item, new_item
from streams.settings import Settings
from tests.broker.records import NOW, put


def item_row(item: Item, popularity: float) -> ItemRow:
    row = catalogued(new_item(), item, 0)
    return replace(row, popularity=Decayed((popularity,) * len(HALF_LIVES_MS), NOW))


def put_items(settings: Settings, rows: dict[str, ItemRow]) -> None:
    stored = [(name, encode_item(row)) for name, row in rows.items()]
    put(settings, settings.topics.item_state, stored)


def mugs(count: int) -> dict[str, ItemRow]:
    """Mugs and pans in turns; the higher its number, the more popular an item is."""
    kinds = (("kitchen", "mugs"), ("kitchen", "pans"))
    return {
        f"i{n}": item_row(Item(item_id=f"i{n}", title=f"thing {n}", category=kinds[n % 2]), 1.0 + n)
        for n in range(count)
    }
