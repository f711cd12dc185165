"""The features of an item row."""

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from typing import Any

from features.cleaning import MAX_LEVELS
from features.decay import HOUR_MS, value_at
from features.events import Item, Kind
from features.fading import ONE
from features.feature import Compute, Feature, Value
from features.item import HALF_LIVES_MS, MAX_QUERIES, NEVER
from features.of_users import length, span
from features.predecessors import PAIRS, WEIGHT_ONE, parts
from features.text import MAX_TERMS, terms

_of = partial(Feature, "item")

BOOKKEEPING = {
    "version": "Of the row's layout.",
    "applied": "Source -> highest offset applied: what tells a replay.",
    "catalog_offset": "Of the catalogue record that `item` came from: what tells an older one.",
    "as_of": "The time that all fading counts of the row are as of.",
    "content": "Where a model puts the catalogue entry of an item that it has no vector of.",
    "content_space": "Names the model's space in which that lies.",
    "paired": "How often pairs of each kind were added to: what tells which are new.",
}
"""Fields of the row that no feature is read from."""


def item_features() -> Iterator[Feature]:
    """Yield every feature of an item row, in the order of the row's fields."""
    yield from _catalogued()
    yield _of(
        "deleted",
        "deleted",
        "1 where the catalogue had the item and took it back: no list shows it.",
        "0 or 1",
        lambda row, _: float(row.deleted),
        high=1,
    )
    yield from _touched()
    yield _of(
        "in_weight",
        "in_weight",
        "How often the item came after others: 1 / (d + 1) for one at distance d, half past an "
        "hour's pause; it halves every HEADRACE_NEIGHBOUR_HALF_LIFE_DAYS.",
        "pairs",
        lambda row, _: row.in_weight / WEIGHT_ONE,
    )
    yield _of(
        "predecessors",
        "predecessors",
        "Items that it came after, the closest, one for each kind of pair: at most twice "
        "HEADRACE_NEIGHBOURS.",
        "items",
        lambda row, _: sum(map(len, row.predecessors)),
    )
    for kind, (earlier, later) in enumerate(PAIRS):
        before, after = earlier.name.lower(), later.name.lower()
        yield _of(
            "predecessors",
            f"passages_{before}_{after}",
            f"How often its {after}s came after a {before} of one of those, halving likewise.",
            "events",
            _passages(kind),
        )
    yield _of(
        "queries",
        "query_keys",
        "Words and whole queries whose searches led to it, the most frequent.",
        "keys",
        lambda row, _: len(row.queries),
        high=2 * MAX_QUERIES,
    )
    yield _of(
        "queries",
        "query_touches",
        "Clicks that those led to, one for each key, halving likewise.",
        "events",
        lambda row, _: sum(row.queries.values()) / ONE,
    )
    yield _of(
        "reach",
        "reach",
        "Clicks and purchases, halving likewise.",
        "events",
        lambda row, _: row.reach / ONE,
    )
    yield _of(
        "factors",
        "factors_length",
        "Euclidean length of the item's factors in the matrix factorisation.",
        "1",
        lambda row, _: length(row.factors),
        missing=None,
    )
    yield _of(
        "bias",
        "bias",
        "The item's bias in the matrix factorisation: how much anybody is drawn to it.",
        "logits",
        lambda row, _: row.bias,
        low=-inf,
    )
    yield from _ages()


def _catalogued() -> Iterator[Feature]:
    yield _of(
        "item",
        "catalogued",
        "1 where the catalogue has the item.",
        "0 or 1",
        lambda row, _: float(row.item is not None),
        high=1,
    )
    yield _of(
        "item",
        "price",
        "As the catalogue says.",
        "currency",
        _entry(lambda item, _: item.price),
        high=1e12,
        missing=None,
    )
    yield _of(
        "item",
        "category_levels",
        "Levels of its category's path.",
        "levels",
        _entry(lambda item, _: len(item.category or ())),
        high=MAX_LEVELS,
        missing=None,
    )
    yield _of(
        "item",
        "branded",
        "1 where the catalogue names a brand.",
        "0 or 1",
        _entry(lambda item, _: float(bool(item.brand))),
        high=1,
        missing=None,
    )
    yield _of(
        "item",
        "title_words",
        "Distinct words of its title that a search can find.",
        "words",
        _entry(lambda item, _: len(terms(item.title or ""))),
        high=MAX_TERMS,
        missing=None,
    )
    yield _of(
        "item",
        "in_stock",
        "As the catalogue says; out of stock no list shows it.",
        "0 or 1",
        _entry(lambda item, _: float(item.in_stock)),
        high=1,
        missing=None,
    )
    yield _of(
        "item",
        "available",
        "1 between the catalogue's `available_from` and `available_to`; else no list shows it.",
        "0 or 1",
        _entry(_available),
        high=1,
        missing=None,
    )


def _passages(kind: int) -> Compute:
    def passages(row: Any, _: int) -> float:
        pairs: dict[str, int] = row.predecessors[kind]
        return sum(parts(stored)[1] for stored in pairs.values()) / ONE

    return passages


def _touched() -> Iterator[Feature]:
    for kind in (Kind.CLICK, Kind.PURCHASE):  # a search acts on no item
        yield _of(
            "touches",
            f"{kind.name.lower()}_total",
            f"{kind.name.title()}s ever.",
            "events",
            _touches(kind),
        )
    for place, half_life in enumerate(HALF_LIVES_MS):
        yield _of(
            "popularity",
            f"popularity_{span(half_life)}",
            f"Clicks and purchases, each counting half after every {span(half_life)}, or after the "
            "half-life that its domain has in that place.",
            "events",
            _popularity(place),
        )


def _touches(kind: Kind) -> Compute:
    return lambda row, _: row.touches[kind]


def _popularity(place: int) -> Compute:
    return lambda row, now: value_at(row.popularity, now, HALF_LIVES_MS)[place]


def _ages() -> Iterator[Feature]:
    yield _of(
        "first_seen",
        "age_h",
        "Time since anybody first acted on it.",
        "hours",
        lambda row, now: _since(row.first_seen, max(now, row.last_seen)),
        missing=None,
    )
    yield _of(
        "last_seen",
        "idle_h",
        "Time since anybody last acted on it.",
        "hours",
        lambda row, now: _since(row.last_seen, max(now, row.last_seen)),
        missing=None,
    )


def _since(ts: int, now: int) -> Value:
    return None if ts == NEVER else (now - ts) / HOUR_MS


def _entry(read: Callable[[Item, int], Value]) -> Compute:
    """Read the catalogue's entry; None where there is none."""
    return lambda row, now: None if row.item is None else read(row.item, now)


def _available(item: Item, now: int) -> float:
    start, end = item.available_from, item.available_to
    return float((start is None or start <= now) and (end is None or now < end))
