"""The item row: what the catalogue says of an item, and what shoppers did with it.

Weights are whole numbers, so that signals of different sources may arrive in any order and still
give equal rows (as long as nothing had to be pruned); only the decayed counts differ, by rounding.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from features import decay
from features.decay import DAY_MS, Decayed
from features.events import Item, Kind
from features.rows import Format
from features.signals import MAX_HISTORY, Signals, Touched
from features.text import query_keys

VERSION = 1
HALF_LIVES_MS = (DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
WEIGHT_ONE = 5040
"""The weight of a pair at distance 0; divided by (distance + 1) and halved, it stays whole."""
PASSAGE_BITS = 16
MAX_PASSAGES = (1 << PASSAGE_BITS) - 1
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
        in_weight: Sum of the weights of all that it ever followed, in 1/`WEIGHT_ONE`.
        predecessors: Item that this one followed (itself, where users came back to it) -> weight
            and passages in one number, see `pair`. In order of arrival; the closest stay.
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
    in_weight: int = 0
    predecessors: dict[str, int] = field(default_factory=dict)
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


def pair(weight: int, passages: int) -> int:
    """Return a weight in 1/`WEIGHT_ONE` and a number of passages (at most `MAX_PASSAGES`) as one.

    Two numbers in one make a row of 200 pairs three times as fast to read, and smaller.
    """
    return weight << PASSAGE_BITS | passages


def parts(stored: int) -> tuple[int, int]:
    """Return the weight and the passages of a `pair`."""
    return stored >> PASSAGE_BITS, stored & MAX_PASSAGES


_NEW = ItemRow()
_NEAR = [pair(WEIGHT_ONE // (distance + 1), 1) for distance in range(MAX_HISTORY)]
_FAR = [pair(WEIGHT_ONE // (distance + 1) // 2, 1) for distance in range(MAX_HISTORY)]
_FORMAT = Format(ItemRow, VERSION, "an item row", {})


def new_item() -> ItemRow:
    """Return the row of an item that nothing is known of."""
    return _NEW


def fresh(row: ItemRow, signals: Signals) -> Sequence[Touched]:
    """Return the entries of a message that the row has not applied yet."""
    applied = row.applied.get(signals.source, NEVER)
    entries = signals.entries
    if not entries or entries[0].offset > applied:
        return entries
    return [entry for entry in entries if entry.offset > applied]


def learn(row: ItemRow, signals: Signals, neighbours: int = 100) -> ItemRow:
    """Return the row after a message; entries that were applied before are skipped.

    Args:
        row: The row before.
        signals: One message. Messages of one source come in offset order, replays apart.
        neighbours: How many predecessors are kept for certain; up to twice as many are remembered,
            so that a newcomer has time to prove itself.
    """
    entries = fresh(row, signals)
    if not entries:
        return row
    touches, popularity = list(row.touches), row.popularity
    predecessors, queries = row.predecessors.copy(), row.queries
    weight = row.in_weight
    for entry in entries:
        touches[entry.kind] += 1
        popularity = decay.add(popularity, 1.0, entry.ts, HALF_LIVES_MS)
        weight += _follow(predecessors, entry)
        if entry.query:
            queries = queries.copy() if queries is row.queries else queries
            for key in query_keys(entry.query):
                queries[key] = queries.get(key, 0) + 1
    times = [entry.ts for entry in entries]
    return ItemRow(
        VERSION,
        row.item,
        row.deleted,
        tuple(touches),
        popularity,
        weight,
        _pruned(predecessors, neighbours, closeness),
        _pruned(queries, MAX_QUERIES, int),
        row.factors,
        row.bias,
        min(times) if row.first_seen == NEVER else min(row.first_seen, *times),
        max(row.last_seen, *times),
        {**row.applied, signals.source: entries[-1].offset},
        row.catalog_offset,
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


def dead(row: ItemRow, now: int, ttl_ms: int) -> bool:
    """Tell whether the catalogue took the item back, and nobody touched it for over `ttl_ms`.

    An item that was never touched is dead as soon as it is taken back: its row knows nothing.

    Args:
        row: The row.
        now: The newest event time seen, in ms; no clock (see `profile.idle`).
        ttl_ms: Time without a touch.
    """
    return row.deleted and (row.last_seen == NEVER or now - row.last_seen > ttl_ms)


def encode_item(row: ItemRow) -> bytes:
    """Return the row as MessagePack."""
    return _FORMAT.encode(row)


def decode_item(row: bytes) -> ItemRow:
    """Return the row that `encode_item` wrote.

    Raises:
        BadRow: it is not one, or of another version.
    """
    return _FORMAT.decode(row)


def closeness(stored: int) -> int:
    """Weigh both kinds of neighbourhood: a passage counts as a pair at distance 3."""
    return (stored >> PASSAGE_BITS) + (stored & MAX_PASSAGES) * (WEIGHT_ONE // 4)


def _follow(predecessors: dict[str, int], entry: Touched) -> int:
    """Add, in place, that the item followed a history; return the weight of it all."""
    total, near, get = 0, entry.near, predecessors.get
    for distance, item_id in enumerate(entry.history):
        more = _NEAR[distance] if distance < near else _FAR[distance]
        total += more >> PASSAGE_BITS
        known = get(item_id, 0)
        if known & MAX_PASSAGES == MAX_PASSAGES:
            more -= 1  # full: one more would run over into the weight
        predecessors[item_id] = known + more
    return total


def _pruned(counts: dict[str, int], most: int, weight: Callable[[int], int]) -> dict[str, int]:
    """Return the `most` heaviest once there are twice as many; among equals, the last to come."""
    if len(counts) <= 2 * most:
        return counts
    newest_first = list(counts)[::-1]
    kept = set(sorted(newest_first, key=lambda key: -weight(counts[key]))[:most])
    return {key: count for key, count in counts.items() if key in kept}
