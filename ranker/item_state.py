"""One item as an index is told of it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.columns import ALWAYS_FROM, ALWAYS_TO, DATED, HALF_LIVES_MS, HIDDEN, MARKS, SHOWN

_Floats = NDArray[np.float32]
Mark = tuple[int, ...]
NO_MARK: Mark = (0,) * MARKS


class BadItemState(ValueError):
    """An item's state contradicts itself or does not fit the index."""


class ItemState(NamedTuple):
    """One item as its owner broadcasts it; a tuple, since one is made for every item of an event.

    Attributes:
        item_id: the item.
        predecessors: items that users acted on before this one, itself perhaps among them; what is
            told of one in several places adds up.
        forward: weight of "that item, then this one", (len(predecessors),).
        passages: times this item came after each of them, (len(predecessors),).
        bought: of `forward` what ended in a purchase, (len(predecessors),); left out = nothing.
        partial: whether those four tell no more than what has changed since the mark that the index
            keeps of the item, each source once, and the rest of its pairs is as it was.
        mark: numbers that tell this state from others, for who makes the next one.
        in_weight: sum of all forward weights that led to this item.
        reach: times anyone acted on this item.
        as_of: ms UTC at which the five above hold, where they fade.
        popularity: decayed touches at `popularity_ts`, for each half-life of the domain.
        popularity_ts: ms UTC at which `popularity` holds.
        leads: how far it is ahead of its category, in touches and in purchases per click; 0 = as
            usual, or unknown.
        query_counts: query key -> times a search for it led here, as of `as_of` too.
        factors: (d,) of the matrix factorisation; None = not learnt yet.
        bias: of the matrix factorisation.
        as_listed: whether all that follows, which is what the catalogue says, is left out, since it
            is as it was at the mark that the index keeps.
        price: in the shop's currency; 0 or NaN = unknown.
        category: path from the root.
        brand: "" = unknown.
        price_band: of `price`, by whatever bands users' prices are told apart too; 0 = unknown.
        terms: words of the title, and of whatever else a search shall match.
        in_stock: as the shop's catalogue says.
        available_from: ms UTC, inclusive.
        available_to: ms UTC, exclusive.
        active: False = deleted: no list shows it.
        domain: "" = the default one; of one that the index does not know, no list shows it.
    """

    item_id: str
    predecessors: Sequence[str] = ()
    forward: Sequence[float] | _Floats = ()
    passages: Sequence[float] | _Floats = ()
    bought: Sequence[float] | _Floats | None = None
    partial: bool = False
    mark: Mark = NO_MARK
    in_weight: float = 0.0
    reach: float = 0.0
    as_of: int = 0
    popularity: Sequence[float] = (0.0,) * len(HALF_LIVES_MS)
    popularity_ts: int = 0
    leads: tuple[float, float] = (0.0, 0.0)
    query_counts: Mapping[str, float] = MappingProxyType({})
    factors: _Floats | None = None
    bias: float = 0.0
    as_listed: bool = False
    price: float = 0.0
    category: tuple[str, ...] = ()
    brand: str = ""
    price_band: int = 0
    terms: Sequence[str] = ()
    in_stock: bool = True
    available_from: int = ALWAYS_FROM
    available_to: int = ALWAYS_TO
    active: bool = True
    domain: str = ""


def check(state: ItemState, *, factors: int) -> None:
    """Raise `BadItemState` for arrays that do not match, or other than so many factors."""
    count = len(state.predecessors)
    if len(state.forward) != count or len(state.passages) != count:
        raise BadItemState(
            f"item {state.item_id!r} has {count} predecessors but "
            f"{len(state.forward)} weights and {len(state.passages)} numbers of passages"
        )
    if state.bought is not None and len(state.bought) != count:
        raise BadItemState(
            f"item {state.item_id!r} has {count} weights but {len(state.bought)} of purchases"
        )
    if state.factors is not None and len(state.factors) != factors:
        raise BadItemState(
            f"item {state.item_id!r} has {len(state.factors)} factors, "
            f"the index was made for {factors}"
        )


def normalised(item_ids: Sequence[str], vectors: _Floats) -> _Floats:
    """Return attention vectors of length 1, or 0 where they were 0; a row for each item.

    Raises:
        BadItemState: not one row per item.
    """
    if vectors.ndim != 2 or len(vectors) != len(item_ids):  # noqa: PLR2004  rows and columns
        raise BadItemState(f"{len(item_ids)} items but vectors of shape {vectors.shape}")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: _Floats = vectors / np.maximum(lengths, np.float32(1e-12))
    return rows


def status_of(state: ItemState) -> int:
    """Return whether lists may show the item: HIDDEN, SHOWN or DATED."""
    if not (state.active and state.in_stock):
        return HIDDEN
    always = state.available_from <= ALWAYS_FROM and state.available_to >= ALWAYS_TO
    return SHOWN if always else DATED
