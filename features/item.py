"""The item row: what the catalogue says of an item, and what shoppers did with it.

Weights are whole numbers, so that signals of different sources may arrive in any order and still
give equal rows (within a turn of `features.fading`, and as long as nothing had to be pruned); what
crosses a turn, and the decayed counts, differ by rounding.
"""

from collections.abc import Sequence
from operator import add

from msgspec import Struct, field
from msgspec.structs import replace

from features import decay, fading, predecessors
from features.decay import DAY_MS, HOUR_MS, Decayed
from features.events import Item, Kind
from features.fading import ONE
from features.predecessors import NO_PAIRS, PAIRS, Predecessors
from features.rows import Fields, Format, extended
from features.signals import Signals, Touched
from features.text import query_keys

VERSION = 6
HALF_LIVES_MS = (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
MAX_QUERIES = 64
NEVER = -1


class ItemRow(Struct, array_like=True, frozen=True, gc=False):
    """What is known of an item.

    Attributes:
        version: Of this layout; new fields go to the end, with a default.
        item: The cleaned catalogue entry; None where the catalogue has none. Since version 3 it can
            name a `domain`.
        deleted: The catalogue had it and took it back.
        touches: Events that acted on it, one count for each `Kind`.
        popularity: Touches under the half-lives of the item's domain (see `domain_of`); since
            version 6 there are four.
        in_weight: Sum of the weights of all that it followed, fading, in 1/`WEIGHT_ONE`.
        predecessors: Items that this one followed (itself, where users came back to it), for each
            kind of pair; the closest stay.
        queries: Key of a query (`text.query_keys`) -> touches it led to, fading, in 1/`ONE`; the
            most frequent stay.
        factors: float32 little endian, b"" before any were learnt.
        bias: Goes with the factors.
        first_seen, last_seen: Event times in ms of the oldest and newest touch, or `NEVER`.
        applied: Source -> highest offset applied.
        catalog_offset: Of the catalogue record that `item` came from, or `NEVER`.
        reach: Touches, fading, in 1/`ONE`.
        as_of: What fades is as of this time in ms, the start of a turn.
        content: Where the tower of a model puts the entry, float16 little endian; b"" where none
            has read it, or the model knows the item itself. Since version 4, like what follows.
        content_space: Names the space in which that lies.
        paired: How often something was added to a pair, of each of `PAIRS`, ever: since that is
            where pairs go, so many at the end of `predecessors` are what is new. Since version 5.
    """

    version: int = VERSION
    item: Item | None = None
    deleted: bool = False
    touches: tuple[int, ...] = (0,) * len(Kind)
    popularity: Decayed = decay.NONE_YET
    in_weight: int = 0
    predecessors: Predecessors = NO_PAIRS
    queries: dict[str, int] = field(default_factory=dict)
    factors: bytes = b""
    bias: float = 0.0
    first_seen: int = NEVER
    last_seen: int = NEVER
    applied: dict[int, int] = field(default_factory=dict)
    catalog_offset: int = NEVER
    reach: int = 0
    as_of: int = 0
    content: bytes = b""
    content_space: str = ""
    paired: tuple[int, ...] = (0,) * len(PAIRS)


_NEW = ItemRow()


def _with_kinds_of_pairs(fields: Fields) -> Fields:
    """Upgrade a row of version 1, which knew no kinds of pairs and where nothing faded.

    All its pairs become of one kind: what the item was touched by most.
    """
    touches, weight, pairs, queries, seen = *fields[3:4], *fields[5:8], fields[11]
    most = Kind.PURCHASE if touches[Kind.PURCHASE] > touches[Kind.CLICK] else Kind.CLICK
    by_kind: list[dict[str, int]] = [{} for _ in PAIRS]
    by_kind[PAIRS.index((most, most))] = {
        item_id: predecessors.pair(_weight_v1(stored >> 16), min(stored & 0xFFFF, 16_383) * ONE)
        for item_id, stored in pairs.items()
    }
    after = list(fields)
    after[5:8] = _weight_v1(weight), by_kind, {key: n * ONE for key, n in queries.items()}
    return [*after, sum(touches) * ONE, max(seen, 0)]


def _weight_v1(weight: int) -> int:
    return weight * predecessors.WEIGHT_ONE // 5040


def _with_the_last_hour(fields: Fields) -> Fields:
    """Upgrade a row of version 5, which did not count the touches of the last hour apart."""
    values, ts = fields[4]
    return [*fields[:4], ((0.0, *values) if values else (), ts), *fields[5:]]


_UPGRADES = {1: _with_kinds_of_pairs, 2: extended, 3: extended, 4: extended, 5: _with_the_last_hour}
_FORMAT = Format(ItemRow, VERSION, "an item row", _UPGRADES)


def new_item() -> ItemRow:
    """Return the row of an item that nothing is known of."""
    return _NEW


def domain_of(row: ItemRow) -> str | None:
    """Return the name of the domain that the catalogue tells; None for the default one."""
    return None if row.item is None else row.item.domain


def fresh(row: ItemRow, signals: Signals) -> Sequence[Touched]:
    """Return the entries of a message that the row has not applied yet."""
    applied = row.applied.get(signals.source, NEVER)
    entries = signals.entries
    if not entries or entries[0].offset > applied:
        return entries
    return [entry for entry in entries if entry.offset > applied]


def learn(
    row: ItemRow,
    signals: Signals,
    neighbours: int = 100,
    half_life_ms: int = 0,
    half_lives_ms: Sequence[int] = HALF_LIVES_MS,
) -> ItemRow:
    """Return the row after a message; entries that were applied before are skipped.

    Args:
        row: The row before.
        signals: One message. Messages of one source come in offset order, replays apart.
        neighbours: How many predecessors are kept for certain; up to twice as many are remembered,
            so that a newcomer has time to prove itself.
        half_life_ms: After so long, predecessors and queries weigh half; 0: they never fade.
        half_lives_ms: Of the popularity, those of the item's domain.
    """
    entries = fresh(row, signals)
    if not entries:
        return row
    times = [entry.ts for entry in entries]
    row = aged(row, max(times), half_life_ms)
    touches, popularity = list(row.touches), row.popularity
    paired = predecessors.count(entries)
    pairs, queries = predecessors.copied(row.predecessors, paired), row.queries
    weight, reach = row.in_weight, row.reach
    for entry in entries:
        late = _turns_late(entry.ts, row.as_of, half_life_ms) if entry.ts < row.as_of else 0
        once = fading.faded(ONE, late)
        touches[entry.kind] += 1
        reach += once
        popularity = decay.add(popularity, 1.0, entry.ts, half_lives_ms)
        weight += predecessors.follow(pairs, entry, late)
        if entry.query and once:
            queries = queries.copy() if queries is row.queries else queries
            for key in query_keys(entry.query):
                queries[key] = queries.get(key, 0) + once
    return ItemRow(
        VERSION,
        row.item,
        row.deleted,
        tuple(touches),
        popularity,
        weight,
        predecessors.pruned(pairs, neighbours),
        _pruned(queries),
        row.factors,
        row.bias,
        min(times) if row.first_seen == NEVER else min(row.first_seen, *times),
        max(row.last_seen, *times),
        {**row.applied, signals.source: entries[-1].offset},
        row.catalog_offset,
        reach,
        row.as_of,
        row.content,
        row.content_space,
        tuple(map(add, row.paired, paired)),
    )


def popular_at(row: ItemRow, ts: int, half_lives_ms: Sequence[int]) -> ItemRow:
    """Return the row with its popularity as of ts, or of its newest touch where that is later."""
    values = decay.value_at(row.popularity, ts, half_lives_ms)
    known = replace(row.popularity, values=values, ts=max(ts, row.popularity.ts))
    return replace(row, popularity=known) if row.popularity.values else row


def aged(row: ItemRow, ts: int, half_life_ms: int) -> ItemRow:
    """Return the row with all that fades as of the turn of time ts; of an older one, as it is."""
    start = fading.turn_start(ts, half_life_ms)
    turns = fading.turns_between(row.as_of, start, half_life_ms)
    if not turns:
        return row
    return replace(
        row,
        in_weight=fading.faded(row.in_weight, turns),
        predecessors=predecessors.all_faded(row.predecessors, turns),
        queries=fading.all_faded(row.queries, turns),
        reach=fading.faded(row.reach, turns),
        as_of=start,
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
    return replace(
        row,
        item=item,
        deleted=item is None,
        catalog_offset=offset,
        content=b"",
        content_space="",
    )


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


def _turns_late(ts: int, as_of: int, half_life_ms: int) -> int:
    return fading.turns_between(fading.turn_start(ts, half_life_ms), as_of, half_life_ms)


def _pruned(counts: dict[str, int]) -> dict[str, int]:
    """Return the most frequent once there are twice as many; among equals, the last to come."""
    if len(counts) <= 2 * MAX_QUERIES:
        return counts
    newest_first = list(counts)[::-1]
    kept = set(sorted(newest_first, key=lambda key: -counts[key])[:MAX_QUERIES])
    return {key: count for key, count in counts.items() if key in kept}
