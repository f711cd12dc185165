"""Rows as people read them: names for numbers, times as dates, the strongest first."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from features import item as item_rows
from features import profile as user_rows
from features.affinity import band_start, shares
from features.decay import HOUR_MS, value_at
from features.events import Kind
from features.fading import ONE
from features.item import NEVER, ItemRow
from features.predecessors import PAIRS, WEIGHT_ONE, closeness, parts
from features.profile import Profile
from features.shown import Shown
from features.windows import totals

Portrait = dict[str, Any]
"""JSON: texts, numbers, lists and maps."""

_KINDS = tuple(kind.name.lower() for kind in Kind)
_FLOAT_BYTES = 4


def portray_user(user_id: str, row: Profile) -> Portrait:
    """Describe a user row; decayed counts and windows are as of the user's newest event."""
    now = row.newest_ts
    session = row.session
    return {
        "user_id": user_id,
        "newest": date(now),
        "activity": {
            kind: {
                "total": activity.total,
                "decayed": _decayed(activity.decayed, now, user_rows.HALF_LIVES_MS),
                "windows": msgspec.to_builtins(totals(activity.windows, now)),
            }
            for kind, activity in zip(_KINDS, row.activity, strict=True)
        },
        "session": {
            "start": date(session.start),
            "last": date(session.last),
            "events": session.length,
        },
        "recent": [
            {"item_id": item_id, "kind": _KINDS[kind], "ts": date(ts)}
            for item_id, kind, ts in row.recent.newest_first()
        ],
        "queries": [
            {"query": query.query, "ts": date(query.ts), "event_id": query.event_id}
            for query in reversed(row.queries)
        ],
        "skipped": {
            verdict.name.lower(): count
            for verdict, count in zip(user_rows.SKIPPED, row.skipped, strict=True)
        },
        "log_price": {"mean": row.prices.mean, "deviation": row.prices.deviation},
        **leanings(row),
        "units_bought": row.units,
        "last_shown": _shown(row.shown),
        "factors": len(row.factors) // _FLOAT_BYTES,
        "bias": row.bias,
        "applied": _applied(row.applied),
        "forgotten": date(row.forgotten_at),
    }


def leanings(row: Profile) -> dict[str, dict[str, float]]:
    """Return the share of each price band, category and brand that a user leans to."""
    bands = {
        f"{band_start(band):.4g} to {band_start(band + 1):.4g}": share
        for band, share in shares(row.price_bands).items()
    }
    kinds = {
        "price_bands": bands,
        "categories": shares(row.categories),
        "brands": shares(row.brands),
    }
    return {
        kind: {name: round(share, 4) for name, share in named.items()}
        for kind, named in kinds.items()
    }


def portray_item(item_id: str, row: ItemRow) -> Portrait:
    """Describe an item row; popularity is as of the item's newest event."""
    return {
        "item_id": item_id,
        "catalogue": msgspec.to_builtins(row.item),
        "deleted": row.deleted,
        "touches": dict(zip(_KINDS, row.touches, strict=True)),
        "popularity": _decayed(row.popularity, row.popularity.ts, item_rows.HALF_LIVES_MS),
        "first_seen": date(row.first_seen),
        "last_seen": date(row.last_seen),
        "follows": {
            f"{earlier.name.lower()} to {later.name.lower()}": _followed(pairs)
            for (earlier, later), pairs in zip(PAIRS, row.predecessors, strict=True)
            if pairs
        },
        "queries": {
            key: round(stored / ONE, 2)
            for key, stored in sorted(row.queries.items(), key=lambda pair: -pair[1])
        },
        "in_weight": row.in_weight / WEIGHT_ONE,
        "reach": row.reach / ONE,
        "as_of": date(row.as_of),
        "factors": len(row.factors) // _FLOAT_BYTES,
        "bias": row.bias,
        "applied": _applied(row.applied),
        "catalog_offset": row.catalog_offset,
    }


def date(ts: int) -> str | None:
    """Return a time in ms as ISO 8601 in UTC; None for "never"."""
    if ts in {NEVER, 0}:
        return None
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="milliseconds")


def _decayed(count: Any, now: int, half_lives_ms: tuple[int, ...]) -> dict[str, float]:
    values = value_at(count, now, half_lives_ms)
    pairs = zip(half_lives_ms, values, strict=True)
    return {f"{half_life // HOUR_MS}h": round(value, 4) for half_life, value in pairs}


def _followed(pairs: dict[str, int]) -> list[Portrait]:
    closest = sorted(pairs.items(), key=lambda stored: -closeness(stored[1]))
    told = ((item_id, *parts(stored)) for item_id, stored in closest)
    return [
        {"item_id": item_id, "weight": weight / WEIGHT_ONE, "passages": round(passages / ONE, 2)}
        for item_id, weight, passages in told
    ]


def _shown(shown: Shown | None) -> Portrait | None:
    if shown is None:
        return None
    return {"surface": shown.surface, "rec_id": shown.rec_id, "ts": date(shown.ts)}


def _applied(applied: dict[int, int]) -> dict[str, int]:
    return {str(source): offset for source, offset in sorted(applied.items())}
