"""What is popular and what rises, out of the gateway's item index."""

import numpy as np
from msgspec import Struct

from features.decay import HOUR_MS
from ranker.columns import BY_DAY, HIDDEN
from ranker.items import ItemIndex
from streams.dashboard.rising import standing

MOST = 10
"""Items of each list, of each domain."""
_SHORT, _LONG = BY_DAY, -1  # of a domain's half-lives


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
    touches = index.popularity_at(newest)
    top: list[Touched] = []
    rising: list[Touched] = []
    half_lives = {}
    for number, domain in enumerate(index.domains):
        half_lives[domain] = tuple((index.half_lives_ms[number] / HOUR_MS).tolist())
        shown = (columns.domain[:size] == number) & (columns.status[:size] != HIDDEN)
        lately, long_run = (np.where(shown, touches[:size, half], 0) for half in (_SHORT, _LONG))
        found = standing(lately, long_run, MOST)
        for slots, paces, told in (
            (found.top, [None] * len(found.top), top),
            (found.rising, found.pace.tolist(), rising),
        ):
            for slot, pace in zip(slots.tolist(), paces, strict=True):
                one = Touched(
                    item_id=index.ids[slot],
                    category=index.leaf(slot),
                    domain=domain,
                    touches=tuple(touches[slot].tolist()),
                    pace=pace,
                )
                told.append(one)
    return Items(half_lives_h=half_lives, top=tuple(top), rising=tuple(rising))
