"""The item row: what the catalogue says of an item, and what shoppers did with it.

Weights are whole numbers, so that signals of different sources may arrive in any order and still
give equal rows (as long as nothing had to be pruned); only the decayed counts differ, by rounding.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from features import decay
from features.decay import DAY_MS, Decayed
from features.events import Item, Kind
from features.rows import Format
from features.signals import MAX_HISTORY, Followed, Signals, Touched
from features.text import query_keys

V = TypeVar("V")

VERSION = 1
HALF_LIVES_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
WEIGHT_ONE = 5040
"""The weight of a pair at distance 0; divided by (distance + 1) and halved, it stays whole."""
MAX_QUERIES = 64
NEVER = -1


class ItemRow(Struct, array_like=True, frozen=True):
    """What is known of an item.

    Attributes:
        version: Of this layout; new fields go to the end, with a default.
        item: The cleaned catalogue entry; None where the catalogue has none.
        deleted: The catalogue had it and took it back.
        touches: Events that acted on it, one count for each `Kind`.
        popularity: Touches under `HALF_LIVES_MS`.
        out_weight: Sum of the weights of all that ever followed it, in 1/`WEIGHT_ONE`.
        in_weight: Sum of the weights of all that it ever followed.
        neighbours: Item -> (weight with which it followed, users' passages between the two in
            either direction, 0 for the item itself). In order of arrival; the best stay.
        queries: Key of a query (`text.query_keys`) -> touches it led to; the most frequent stay.
        factors: float32 little endian, b"" before any were learnt.
        bias: Goes with the factors.
        first_seen, last_seen: Event times in ms of the oldest and newest touch, or `NEVER`.
        applied: Source -> highest offset applied.
        catalog_offset: Of the catalogue record that `item` came from, or `NEVER`.
    """

    version: int = VERSION
    item: Item | None = None
    deleted: bool = False
    touches: tuple[int, ...] = (0,) * len(Kind)
    popularity: Decayed = decay.NONE_YET
    out_weight: int = 0
    in_weight: int = 0
    neighbours: dict[str, tuple[int, int]] = field(default_factory=dict)
    queries: dict[str, int] = field(default_factory=dict)
    factors: bytes = b""
    bias: float = 0.0
    first_seen: int = NEVER
    last_seen: int = NEVER
    applied: dict[int, int] = field(default_factory=dict)
    catalog_offset: int = NEVER

    @property
    def n(self) -> int:
        """Touches ever: how often the item was one end of a pair."""
        return sum(self.touches)


_NEW = ItemRow()
_NO_PAIR = (0, 0)
_WEIGHTS = (
    [WEIGHT_ONE // (distance + 1) for distance in range(MAX_HISTORY)],
    [WEIGHT_ONE // (distance + 1) // 2 for distance in range(MAX_HISTORY)],
)
"""By far, then by distance."""
_FORMAT = Format(ItemRow, VERSION, "an item row")


def new_item() -> ItemRow:
    """Return the row of an item that nothing is known of."""
    return _NEW


def learn(row: ItemRow, signals: Signals, neighbours: int = 100) -> ItemRow:
    """Return the row after a message; entries that were applied before are skipped.

    Args:
        row: The row before.
        signals: One message. Messages of one source come in offset order, replays apart.
        neighbours: How many are kept for certain; up to twice as many are remembered, so that a
            newcomer has time to prove itself.
    """
    applied = row.applied.get(signals.source, NEVER)
    entries = [entry for entry in signals.entries if entry.offset > applied]
    if not entries:
        return row
    near = row.neighbours.copy()
    row = _touched(row, near, [entry for entry in entries if isinstance(entry, Touched)])
    out_weight, in_weight = row.out_weight, row.in_weight
    for entry in entries:
        if isinstance(entry, Followed):
            weight = _WEIGHTS[entry.far][entry.distance]
            out_weight += weight
            forward, passages = near.get(entry.item_id, _NO_PAIR)
            if entry.itself:
                in_weight += weight
                near[entry.item_id] = (forward + weight, passages)
            else:
                near[entry.item_id] = (forward + weight, passages + 1)
    return replace(
        row,
        out_weight=out_weight,
        in_weight=in_weight,
        neighbours=_pruned(near, neighbours, _closeness),
        applied={**row.applied, signals.source: entries[-1].offset},
    )


def catalogued(row: ItemRow, item: Item | None, offset: int) -> ItemRow:
    """Return the row after a record of the catalogue; a replay changes nothing.

    Args:
        row: The row before.
        item: The cleaned entry, or None where the catalogue took the item back.
        offset: Of the record.
    """
    if offset <= row.catalog_offset:
        return row
    return replace(row, item=item, deleted=item is None, catalog_offset=offset)


def encode_item(row: ItemRow) -> bytes:
    """Return the row as MessagePack."""
    return _FORMAT.encode(row)


def decode_item(row: bytes) -> ItemRow:
    """Return the row that `encode_item` wrote.

    Raises:
        BadRow: it is not one, or of another version.
    """
    return _FORMAT.decode(row)


def _touched(row: ItemRow, near: dict[str, tuple[int, int]], entries: list[Touched]) -> ItemRow:
    """Fold what acted on the item itself, in the row and, in place, in its neighbours."""
    if not entries:
        return row
    touches, popularity, in_weight = list(row.touches), row.popularity, row.in_weight
    queries = row.queries
    for entry in entries:
        touches[entry.kind] += 1
        popularity = decay.add(popularity, 1.0, entry.ts, HALF_LIVES_MS)
        for item_id, distance, far in entry.history:
            in_weight += _WEIGHTS[far][distance]
            forward, passages = near.get(item_id, _NO_PAIR)
            near[item_id] = (forward, passages + 1)
        if entry.query:
            queries = queries.copy()
            for key in query_keys(entry.query):
                queries[key] = queries.get(key, 0) + 1
    times = [entry.ts for entry in entries]
    first = min(times) if row.first_seen == NEVER else min(row.first_seen, *times)
    return replace(
        row,
        touches=tuple(touches),
        popularity=popularity,
        in_weight=in_weight,
        queries=_pruned(queries, MAX_QUERIES, lambda count: count),
        first_seen=first,
        last_seen=max(row.last_seen, *times),
    )


def _closeness(pair: tuple[int, int]) -> int:
    """Weigh both kinds of neighbourhood: a passage counts as a pair at distance 3."""
    forward, passages = pair
    return forward + passages * (WEIGHT_ONE // 4)


def _pruned(counts: dict[str, V], most: int, weight: Callable[[V], int]) -> dict[str, V]:
    """Return the `most` heaviest once there are twice as many; among equals, the last to come."""
    if len(counts) <= 2 * most:
        return counts
    newest_first = list(counts)[::-1]
    kept = set(sorted(newest_first, key=lambda key: -weight(counts[key]))[:most])
    return {key: count for key, count in counts.items() if key in kept}
