"""What a list is asked for with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEANINGS = 4  # categories, brands and bands of prices that a user leans to, of each so many

_Floats = NDArray[np.float32]
_Slots = NDArray[np.int32]
NO_SLOTS: _Slots = np.empty(0, np.int32)
_NO_KINDS = np.empty(0, np.int8)
_NO_TIMES = np.empty(0, np.int64)


@dataclass(slots=True, kw_only=True)
class Request:
    """One list to make. Slots are of the index, -1 = unknown and ignored.

    Attributes:
        now: ms UTC of the event that asks.
        k: length of the list at most.
        history: slots of the user's touches, newest first; the first `HISTORY` are read.
        history_kinds: 0 click, 2 purchase; as long as `history`.
        history_times: ms UTC; as long as `history`.
        uncounted: so many of the newest touches are not in the item rows yet (the event that asks
            has only just been sent to them); the rest is taken out of the neighbour scores.
        factors: (d,) of the user; None = not learnt yet.
        bias: of the user.
        leaves: narrowest categories that the user leans to, by code: their shares, the heaviest
            first; the first `LEANINGS` are read, as of what follows.
        brands: likewise.
        price_bands: likewise.
        query: text of a search; "" = not a search.
        query_keys: exact, squashed and terms of the query, as in the item rows.
        terms: words of the query.
        given: rank only these; None = generate candidates.
        exclude: never show these.
        diversity: 0 = by score alone, up to 1 = as unlike each other as can be.
        domain: number of the domain, in the index, that all items of the list are of.
    """

    now: int
    k: int
    history: _Slots = field(default_factory=lambda: NO_SLOTS)
    history_kinds: NDArray[np.int8] = field(default_factory=lambda: _NO_KINDS)
    history_times: NDArray[np.int64] = field(default_factory=lambda: _NO_TIMES)
    uncounted: int = 0
    factors: _Floats | None = None
    bias: float = 0.0
    leaves: Mapping[int, float] = field(default_factory=dict)
    brands: Mapping[int, float] = field(default_factory=dict)
    price_bands: Mapping[int, float] = field(default_factory=dict)
    query: str = ""
    query_keys: Sequence[str] = ()
    terms: Sequence[str] = ()
    given: _Slots | None = None
    exclude: _Slots = field(default_factory=lambda: NO_SLOTS)
    diversity: float = 0.0
    domain: int = 0

    @property
    def is_search(self) -> bool:
        """Say whether the list answers a query."""
        return bool(self.query)
