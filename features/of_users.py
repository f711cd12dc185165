"""The features of a user row."""

from collections.abc import Iterator
from functools import partial
from math import inf

import numpy as np

from features import windows
from features.affinity import HALF_LIFE_MS, MAX_NAMES, shares
from features.decay import DAY_MS, HOUR_MS, value_at
from features.events import Kind
from features.feature import Compute, Feature, Value
from features.profile import HALF_LIVES_MS, MAX_QUERIES, Profile
from features.session import SESSION_GAP_MS
from features.touches import MAX_TOUCHES
from features.windows import MINUTE_MS

_SESSION_EVENTS = MAX_TOUCHES + MAX_QUERIES
_of = partial(Feature, "user")
_DID = {Kind.CLICK: "Clicks", Kind.SEARCH: "Searches", Kind.PURCHASE: "Purchases"}
_WINDOWS = {
    "hour": "in the last hour, in buckets of 5 minutes",
    "day": "in the last day, in buckets of an hour",
    "week": "on the last 7 days, UTC",
    "month": "on the last 30 days, UTC",
}

BOOKKEEPING = {
    "version": "Of the row's layout.",
    "applied": "Source -> highest offset applied: what tells a replay.",
    "event_ids": "Digests of the last events: what tells a duplicate.",
    "skipped": "Events that did not count, by reason: what tells a machine.",
    "shown": "The list that answered the newest event.",
    "forgotten_at": "When the user last asked to be forgotten: what keeps out events of before.",
}
"""Fields of the row that no feature is read from."""


def user_features() -> Iterator[Feature]:
    """Yield every feature of a user row, in the order of the row's fields."""
    yield _of(
        "newest_ts",
        "idle_h",
        "Time since the user's newest event.",
        "hours",
        lambda row, now: (_at(row, now) - row.newest_ts) / HOUR_MS if row.newest_ts else None,
        missing=None,
    )
    for kind in Kind:
        yield from _activity(kind)
    yield from _history()
    yield from _prices()
    yield _of(
        "factors",
        "factors_length",
        "Euclidean length of the user's factors in the matrix factorisation.",
        "1",
        lambda row, _: length(row.factors),
        missing=None,
    )
    yield _of(
        "bias",
        "bias",
        "The user's bias in the matrix factorisation: how readily they act at all.",
        "logits",
        lambda row, _: row.bias,
        low=-inf,
    )
    yield _of(
        "units",
        "units_bought",
        "Units bought ever; a purchase that tells no quantity is of one.",
        "units",
        lambda row, _: row.units,
    )
    yield from _leanings()


def length(factors: bytes) -> Value:
    """Return the Euclidean length of stored factors; None before any were learnt."""
    return float(np.linalg.norm(np.frombuffer(factors, "<f4"))) if factors else None


def span(ms: int) -> str:
    """Return a half-life as names have it: "1h", "7d"."""
    return f"{ms // DAY_MS}d" if ms % DAY_MS == 0 else f"{ms // HOUR_MS}h"


def _activity(kind: Kind) -> Iterator[Feature]:
    name, did = kind.name.lower(), _DID[kind]
    yield _of(
        "activity",
        f"{name}_total",
        f"{did} ever.",
        "events",
        lambda row, _: row.activity[kind].total,
    )
    for place, half_life in enumerate(HALF_LIVES_MS):
        yield _of(
            "activity",
            f"{name}_decayed_{span(half_life)}",
            f"{did}, each counting half after every {span(half_life)}.",
            "events",
            _decayed(kind, place),
        )
    for window, when in _WINDOWS.items():
        yield _of(
            "activity",
            f"{name}_last_{window}",
            f"{did} {when}.",
            "events",
            _window(kind, window),
        )


def _decayed(kind: Kind, place: int) -> Compute:
    def at(row: Profile, now: int) -> float:
        return value_at(row.activity[kind].decayed, _at(row, now), HALF_LIVES_MS)[place]

    return at


def _window(kind: Kind, window: str) -> Compute:
    def at(row: Profile, now: int) -> int:
        held: int = getattr(windows.totals(row.activity[kind].windows, _at(row, now)), window)
        return held

    return at


def _history() -> Iterator[Feature]:
    yield _of(
        "recent",
        "history_events",
        f"Clicks and purchases that the row remembers, the newest {MAX_TOUCHES}.",
        "events",
        lambda row, _: len(row.recent),
        high=MAX_TOUCHES,
    )
    yield _of(
        "recent",
        "history_items",
        "Distinct items among them.",
        "items",
        lambda row, _: len({*row.recent.item_ids}),
        high=MAX_TOUCHES,
    )
    yield _of(
        "recent",
        "session_events",
        "Events of the newest visit, as far back as the row remembers; "
        f"a visit ends with a pause of {SESSION_GAP_MS // MINUTE_MS} minutes.",
        "events",
        lambda row, _: row.session.length,
        high=_SESSION_EVENTS,
    )
    yield _of(
        "recent",
        "session_min",
        "How long that visit lasted, from its first event to its last.",
        "minutes",
        lambda row, _: (row.session.last - row.session.start) / MINUTE_MS,
        high=(_SESSION_EVENTS - 1) * SESSION_GAP_MS / MINUTE_MS,
    )
    yield _of(
        "recent",
        "session_open",
        "1 while that visit may go on.",
        "0 or 1",
        lambda row, now: float(
            row.session.length > 0 and _at(row, now) - row.session.last <= SESSION_GAP_MS
        ),
        high=1,
    )
    yield _of(
        "queries",
        "queries",
        f"Searches that the row remembers, the newest {MAX_QUERIES}.",
        "events",
        lambda row, _: len(row.queries),
        high=MAX_QUERIES,
    )


def _prices() -> Iterator[Feature]:
    yield _of(
        "prices",
        "priced_events",
        "Clicks and purchases that named a price above 0.",
        "events",
        lambda row, _: row.prices.count,
    )
    yield _of(
        "prices",
        "log_price_mean",
        "The user's price level: mean of ln(price) over those events.",
        "ln(currency)",
        lambda row, _: row.prices.mean if row.prices.count else None,
        low=-745,  # the smallest price that a float holds
        high=28,  # the largest that an event may name
        missing=None,
    )
    yield _of(
        "prices",
        "log_price_deviation",
        "Standard deviation of ln(price); known from two prices on.",
        "ln(currency)",
        lambda row, _: row.prices.deviation if row.prices.count > 1 else None,
        high=387,
        missing=None,
    )


def _leanings() -> Iterator[Feature]:
    names = {"price_bands": "price band", "categories": "category", "brands": "brand"}
    for field, name in names.items():
        yield _of(
            field,
            f"{field}_leant_to",
            f"Entries of {field} that the row holds, the {MAX_NAMES} heaviest.",
            "entries",
            _held(field),
            high=MAX_NAMES,
        )
        yield _of(
            field,
            f"{field}_top_share",
            f"Part of the weight of those that the heaviest {name} has; weights halve after every "
            f"{span(HALF_LIFE_MS)}.",
            "share",
            _top_share(field),
            high=1,
            missing=None,
        )


def _held(field: str) -> Compute:
    return lambda row, _: len(getattr(row, field))


def _top_share(field: str) -> Compute:
    return lambda row, _: max(shares(getattr(row, field)).values(), default=None)


def _at(row: Profile, now: int) -> int:
    return max(now, row.newest_ts)
