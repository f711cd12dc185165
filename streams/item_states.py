"""An item's row -> what a ranking reads of it."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import chain

import numpy as np
from msgspec.structs import replace as replace_row
from numpy.typing import NDArray

from features.affinity import band_code, price_band
from features.attributes import token_ids, tokens
from features.domains import Domains
from features.events import Item, Kind
from features.fading import ONE
from features.item import HALF_LIVES_MS, ItemRow, domain_of
from features.predecessors import PAIRS, WEIGHT_ONE, parts
from features.standing import Lead
from features.text import terms
from ranker.columns import ALWAYS_FROM, ALWAYS_TO
from ranker.items import ItemState
from ranker.model import Model

NO_LEAD = Lead()
_NO_ENTRY = Item(item_id="")
_ENDED_IN_A_PURCHASE = tuple(later == Kind.PURCHASE for _, later in PAIRS)
_CONTENT = "<f2"


def item_state(item_id: str, row: ItemRow, leads: Lead = NO_LEAD) -> ItemState:
    """Turn an item's row, and how far it is ahead of its category, into what a ranking reads."""
    told = list(chain.from_iterable(row.predecessors))
    stored = chain.from_iterable([pairs.values() for pairs in row.predecessors])
    weights, passages = parts(np.fromiter(stored, np.int64, len(told)))
    forward = (weights / WEIGHT_ONE).astype(np.float32)
    entry = _NO_ENTRY if row.item is None else row.item
    return ItemState(
        item_id=item_id,
        predecessors=told,
        forward=forward,
        passages=(passages / ONE).astype(np.float32),
        bought=_bought(row, forward),
        in_weight=row.in_weight / WEIGHT_ONE,
        reach=row.reach / ONE,
        as_of=row.as_of,
        popularity=row.popularity.values or (0.0,) * len(HALF_LIVES_MS),
        popularity_ts=row.popularity.ts,
        query_counts={key: stored / ONE for key, stored in row.queries.items()},
        factors=vector_of(row.factors),
        bias=row.bias,
        leads=leads,
        active=not row.deleted,
        domain=domain_of(row) or "",
        price=entry.price or 0.0,
        category=entry.category or (),
        brand=entry.brand or "",
        price_band=band_code(price_band(entry.price)) if entry.price else 0,
        terms=_searchable(entry.title, entry.category, entry.brand),
        in_stock=entry.in_stock,
        available_from=ALWAYS_FROM if entry.available_from is None else entry.available_from,
        available_to=ALWAYS_TO if entry.available_to is None else entry.available_to,
    )


def content_of(row: ItemRow) -> NDArray[np.float32] | None:
    """Return where the row's entry lies in `row.content_space`, (D,); None where nobody knows."""
    return np.frombuffer(row.content, _CONTENT).astype(np.float32) if row.content else None


def read_entries(rows: Mapping[str, ItemRow], model: Model) -> dict[str, ItemRow]:
    """Return the rows that say anew where the model puts their catalogue entries.

    Those are of items that the model has no vector of, and that none of its space has read.
    """
    new = {
        item_id: token_ids(tokens(row.item))
        for item_id, row in rows.items()
        if row.item is not None and row.content_space != model.space and not model.knows(item_id)
    }
    read = model.read(list(new.values()))
    stored = [vector.astype(_CONTENT).tobytes() if vector.any() else b"" for vector in read]
    return {
        item_id: replace_row(rows[item_id], content=content, content_space=model.space)
        for item_id, content in zip(new, stored, strict=True)
    }


def half_lives_of(domains: Domains) -> dict[str, tuple[int, ...]]:
    """Return what an index must know of domains: how fast the popularity of their items fades."""
    return dict(zip(domains.names, domains.half_lives_ms, strict=True))


def vector_of(stored: bytes) -> NDArray[np.float32] | None:
    """Return factors as they are stored in a row, (d,); None before any were learnt."""
    return np.frombuffer(stored, "<f4") if stored else None


@lru_cache(maxsize=1 << 14)
def _searchable(
    title: str | None, category: tuple[str, ...] | None, brand: str | None
) -> tuple[str, ...]:
    """Return the words that a search may find an item by; rows come again far more than titles."""
    return tuple(terms(" ".join([title or "", *(category or ()), brand or ""])))


def _bought(row: ItemRow, forward: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Return what of `forward`, kind after kind of pairs, ended in a purchase."""
    begin, bought = 0, None
    for ended, pairs in zip(_ENDED_IN_A_PURCHASE, row.predecessors, strict=True):
        if ended and pairs:
            bought = np.zeros_like(forward) if bought is None else bought
            bought[begin : begin + len(pairs)] = forward[begin : begin + len(pairs)]
        begin += len(pairs)
    return bought
