"""What is popular and what rises, out of the gateway's item index."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from features.decay import HOUR_MS
from ranker.columns import HIDDEN, Columns
from ranker.items import ItemIndex
from streams.dashboard.rising import standing

MOST = 10
"""Items of each list, of each domain."""
_AT_ONCE = 1 << 20  # slots: what is in memory meanwhile is bounded
_SHORT, _LONG = 0, -1  # of a domain's half-lives

_Floats = NDArray[np.float32]


class Touched(Struct, frozen=True, kw_only=True):
    """An item.

    Attributes:
        item_id, category, domain: What it is; the category is the narrowest, "" for none.
        touches: Decayed, for each half-life of its domain, the shortest first.
        pace: For one that rises, its touches lately by those expected (see `Standing`).
    """

    item_id: str
    category: str
    domain: str
    touches: tuple[float, ...]
    pace: float | None = None


class Items(Struct, frozen=True, kw_only=True):
    """All of it; `half_lives_h` of each domain goes with `touches`."""

    half_lives_h: dict[str, tuple[float, ...]] = {}
    top: tuple[Touched, ...] = ()
    rising: tuple[Touched, ...] = ()


def items_now(index: ItemIndex) -> Items:
    """Return what stands where, as of the newest touch: a log that is replayed has its own time.

    It may be called while another thread writes to the index: growth makes new columns, and the
    old ones hold every slot that is asked for here.
    """
    columns = index.columns
    size = min(len(index), len(columns.degree))
    newest = int(columns.popularity_ts[:size].max(initial=0))
    top: list[Touched] = []
    rising: list[Touched] = []
    half_lives = {}
    for number, domain in enumerate(index.domains):
        half_lives_ms = index.half_lives_ms[number]
        half_lives[domain] = tuple((half_lives_ms / HOUR_MS).tolist())
        shown = (columns.domain[:size] == number) & (columns.status[:size] != HIDDEN)
        lately, long_run = (
            _decayed(columns, shown, which, half_lives_ms[which], newest)
            for which in (_SHORT, _LONG)
        )
        found = standing(lately, long_run, MOST)
        for slots, paces, told in (
            (found.top, [None] * len(found.top), top),
            (found.rising, found.pace.tolist(), rising),
        ):
            for slot, pace in zip(slots.tolist(), paces, strict=True):
                age = max(0, newest - int(columns.popularity_ts[slot]))
                touches = columns.popularity[slot] * np.exp2(-age / half_lives_ms)
                one = Touched(
                    item_id=index.ids[slot],
                    category=index.leaf(slot),
                    domain=domain,
                    touches=tuple(touches.tolist()),
                    pace=pace,
                )
                told.append(one)
    return Items(half_lives_h=half_lives, top=tuple(top), rising=tuple(rising))


def _decayed(
    columns: Columns, shown: NDArray[np.bool_], which: int, half_life_ms: float, now: int
) -> _Floats:
    """Return every slot's touches under one half-life; 0 for those that are not shown."""
    found = np.zeros(len(shown), np.float32)
    for begin in range(0, len(shown), _AT_ONCE):
        part = slice(begin, min(begin + _AT_ONCE, len(shown)))
        ages = np.maximum(now - columns.popularity_ts[part], 0) / half_life_ms
        touches = columns.popularity[part, which] * np.exp2(-ages)
        found[part] = np.where(shown[part], touches, 0)
    return found
