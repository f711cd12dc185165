"""Rows of items -> what a ranking reads of them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import sub
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace as replace_row
from numpy.typing import NDArray

from features.affinity import band_code, price_band
from features.attributes import token_ids, tokens
from features.domains import Domains
from features.events import Item, Kind
from features.fading import ONE
from features.item import HALF_LIVES_MS, NEVER, ItemRow, domain_of
from features.predecessors import PAIRS, WEIGHT_ONE, changed_last, parts, summed
from features.standing import Lead
from features.text import terms
from ranker.columns import ALWAYS_FROM, ALWAYS_TO
from ranker.item_state import NO_MARK, Mark
from ranker.items import ItemState
from ranker.model import Model

NO_LEAD = Lead()
_NO_ENTRY = Item(item_id="")
_ENDED_IN_A_PURCHASE = tuple(later == Kind.PURCHASE for _, later in PAIRS)
_NOT_TOUCHED = (0.0,) * len(HALF_LIVES_MS)
_CONTENT = "<f2"
_Floats = NDArray[np.float32]
_Columns = tuple[_Floats, _Floats, _Floats]


class Change(NamedTuple):
    """An item that rankings are to see as it is now.

    Attributes:
        item_id: Of the item.
        row: Its row.
        leads: How far it is ahead of its category.
        known: `ItemIndex.mark` of the item: of its pairs no more is told than what has changed
            since, and of its entry nothing where that has not.
    """

    item_id: str
    row: ItemRow
    leads: Lead = NO_LEAD
    known: Mark = NO_MARK


def item_states(changes: Sequence[Change]) -> list[ItemState]:
    """Turn rows into what a ranking reads; the numbers of all their pairs at once."""
    marks = [_mark(change.row) for change in changes]
    since = [_paired_since(one.known, mark) for one, mark in zip(changes, marks, strict=True)]
    told = [
        _pairs(one.row) if paired is None else _changed_pairs(one.row, paired)
        for one, paired in zip(changes, since, strict=True)
    ]
    weights, passages = parts(_numbers([stored for _, stored, _ in told]))
    bought, _ = parts(_numbers([ended for _, _, ended in told]))
    columns = _singles(weights, WEIGHT_ONE), _singles(passages, ONE), _singles(bought, WEIGHT_ONE)
    states, begin = [], 0
    for change, mark, paired, (names, _, _) in zip(changes, marks, since, told, strict=True):
        part = slice(begin, begin + len(names))
        numbers = columns[0][part], columns[1][part], columns[2][part]
        states.append(_state(change, mark, names, numbers, partial=paired is not None))
        begin = part.stop
    return states


def item_state(
    item_id: str, row: ItemRow, leads: Lead = NO_LEAD, known: Mark = NO_MARK
) -> ItemState:
    """Return one of `item_states`; arguments as in `Change`."""
    (state,) = item_states([Change(item_id, row, leads, known)])
    return state


def _state(
    change: Change, mark: Mark, names: list[str], told: _Columns, *, partial: bool
) -> ItemState:
    row, known = change.row, change.known
    state = ItemState(
        change.item_id,
        names,
        *told,
        partial=partial,
        mark=mark,
        in_weight=row.in_weight / WEIGHT_ONE,
        reach=row.reach / ONE,
        as_of=row.as_of,
        popularity=row.popularity.values or _NOT_TOUCHED,
        popularity_ts=row.popularity.ts,
        leads=change.leads,
        query_counts={key: stored / ONE for key, stored in row.queries.items()},
        factors=vector_of(row.factors),
        bias=row.bias,
        as_listed=known[-1] == mark[-1],
    )
    return state if state.as_listed else _listed(state, row)


def _numbers(stored: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    return np.array([*chain.from_iterable(stored)], np.int64)


def _singles(numbers: NDArray[np.int64], one: int) -> _Floats:
    return (numbers / one).astype(np.float32)


def _listed(state: ItemState, row: ItemRow) -> ItemState:
    """Return the state with what the catalogue says."""
    entry = _NO_ENTRY if row.item is None else row.item
    return state._replace(
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


def content_of(row: ItemRow) -> _Floats | None:
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


def vector_of(stored: bytes) -> _Floats | None:
    """Return factors as they are stored in a row, (d,); None before any were learnt."""
    return np.frombuffer(stored, "<f4") if stored else None


@lru_cache(maxsize=1 << 14)
def _searchable(
    title: str | None, category: tuple[str, ...] | None, brand: str | None
) -> tuple[str, ...]:
    """Return the words that a search may find an item by; rows come again far more than titles."""
    return tuple(terms(" ".join([title or "", *(category or ()), brand or ""])))


def _mark(row: ItemRow) -> Mark:
    """Return what tells the row's pairs, and its entry, from what they were or will be."""
    since_when = hash((row.as_of, row.first_seen))  # all pairs change with the one, or the other
    entry = row.catalog_offset - NEVER + 1  # above 0, which is what nobody knows
    return *row.paired, sum(map(len, row.predecessors)), since_when, entry


def _paired_since(known: Mark, now: Mark) -> list[int] | None:
    """Return how often pairs of each kind were added to since a mark; None for more than that.

    Of so many that half the row may be new there is no use in telling, and fewer cannot have added
    what it takes to be pruned and to have as many pairs again.
    """
    *before, pairs_before, since_before, _ = known
    *after, pairs, since, _ = now
    if since != since_before or pairs < pairs_before:
        return None
    paired = list(map(sub, after, before))
    return None if min(paired) < 0 or 2 * sum(paired) > pairs else paired


_Told = tuple[list[str], list[int], list[int]]
"""Names, what is stored of each, and what of that ended in a purchase."""


def _pairs(row: ItemRow) -> _Told:
    """Return all pairs, kind after kind."""
    names = list(chain.from_iterable(row.predecessors))
    stored = list(chain.from_iterable([pairs.values() for pairs in row.predecessors]))
    ended: list[int] = []
    for bought, pairs in zip(_ENDED_IN_A_PURCHASE, row.predecessors, strict=True):
        ended += pairs.values() if bought else [0] * len(pairs)
    return names, stored, ended


def _changed_pairs(row: ItemRow, paired: Sequence[int]) -> _Told:
    """Return the sum of the pairs, of all kinds, with each item of a pair that was added to."""
    names = changed_last(row.predecessors, paired)
    return names, *summed(row.predecessors, names)
