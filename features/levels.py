"""What is usual in a category: running statistics of all items' prices, clicks and purchases.

A category is a path, the widest name first; case does not count. An item counts in its category,
in every wider one (each prefix of the path) and in the root, which is all items. An item without a
category counts in the root alone. Everything is summed in whole numbers, so items may be put,
changed and dropped in any order, and what is left is as if counted anew.

Each domain has categories and a root of its own: what an article's category is called like says
nothing of what a mug of that category costs.
"""

from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from features.category import Level, Path, Spread, bin_of

MAX_CATEGORIES = 10_000
"""Categories beyond this many are not opened: their items count in the wider ones that are open.
Which came first then matters. A category that loses its last item makes room."""


_Key = tuple[str, Path]
"""A domain, and names without case."""


class Figures(NamedTuple):
    """What an item adds to its categories.

    Attributes:
        path: Its category, () where it has none; at most `cleaning.MAX_LEVELS` names.
        price: In the shop's currency; None or 0 where it is not known.
        clicks: On it, ever.
        purchases: Of it, ever.
        domain: "" is the default one.
    """

    path: Path = ()
    price: float | None = None
    clicks: int = 0
    purchases: int = 0
    domain: str = ""


class CategoryLevels:
    """The statistics of every category, kept up item by item.

    Unlike rows this changes in place: it holds all items of a shop. A slot is a small whole number
    that stays with its item; each takes 26 bytes.

    Args:
        most: Categories opened at most, the root among them (see `MAX_CATEGORIES`); the roots of
            other domains may come on top.
        default: Another name for the default domain.
    """

    def __init__(self, most: int = MAX_CATEGORIES, default: str = "") -> None:
        self.root = Level()
        self._most = most
        self._default = default
        self._levels: dict[_Key, Level] = {("", ()): self.root}
        self._leaves: list[Level | None] = []
        self._bins, self._clicks, self._purchases = array("h"), array("q"), array("q")

    def __len__(self) -> int:
        """Count the categories, the root included."""
        return len(self._levels)

    def put(self, slot: int, figures: Figures) -> Level:
        """Replace what an item adds to its categories; return the narrowest of them (see `at`)."""
        moved = self._moved(slot, figures)
        if moved is not None:
            return moved
        self.drop(slot)
        missing = slot + 1 - len(self._leaves)
        if missing > 0:
            self._leaves += [None] * missing
            for column in (self._bins, self._clicks, self._purchases):
                column.frombytes(bytes(missing * column.itemsize))
        leaf = self._opened(*self._key(figures.domain, figures.path))
        price_bin = bin_of(figures.price)
        self._leaves[slot] = leaf
        self._bins[slot] = price_bin
        self._clicks[slot] = figures.clicks
        self._purchases[slot] = figures.purchases
        for level in _upwards(leaf):
            level.count(price_bin, figures.clicks, figures.purchases, 1)
        return leaf

    def drop(self, slot: int) -> None:
        """Take an item out of its categories; a slot that adds nothing changes nothing."""
        leaf = self._leaves[slot] if slot < len(self._leaves) else None
        if leaf is None:
            return
        figures = self._bins[slot], self._clicks[slot], self._purchases[slot]
        self._leaves[slot] = None
        for level in _upwards(leaf):
            level.count(*figures, -1)
            if not level.items and level is not self.root:
                del self._levels[level.domain, level.path]

    def at(self, path: Path, domain: str = "") -> Level:
        """Return the narrowest open category of a path in a domain; the root where none is."""
        domain, names = self._key(domain, path)
        for depth in range(len(names), -1, -1):
            found = self._levels.get((domain, names[:depth]))
            if found is not None:
                return found
        return Level(domain=domain)

    def priced(self, path: Path, domain: str = "") -> tuple[Level, Spread] | None:
        """Return the narrowest category of a path whose usual price is known; None without any."""
        for level in _upwards(self.at(path, domain)):
            spread = level.spread()
            if spread is not None:
                return level, spread
        return None

    def conversion(self, path: Path, domain: str = "") -> float | None:
        """Return the purchases per click in a category, 0..1, smoothed towards the wider one's.

        None in a domain where nobody ever clicked, or nobody ever bought: it seems not to tell.
        """
        return self.at(path, domain).conversion()

    def touches(self, path: Path, domain: str = "") -> float:
        """Return how often an item of a category was clicked or bought, ever, on average.

        Of the more frequent of both, item by item. 0 in a domain without items.
        """
        return self.at(path, domain).touches()

    def _moved(self, slot: int, figures: Figures) -> Level | None:
        """Count more of what an item had; None where that is not all that has changed of it."""
        leaf = self._leaves[slot] if slot < len(self._leaves) else None
        if leaf is None or (leaf.domain, leaf.path) != self._key(figures.domain, figures.path):
            return None
        if self._bins[slot] != bin_of(figures.price):
            return None
        clicks, purchases = self._clicks[slot], self._purchases[slot]
        more_clicks, more_purchases = figures.clicks - clicks, figures.purchases - purchases
        more_trials = max(figures.clicks, figures.purchases) - max(clicks, purchases)
        self._clicks[slot], self._purchases[slot] = figures.clicks, figures.purchases
        for level in _upwards(leaf):
            level.clicks += more_clicks
            level.purchases += more_purchases
            level.trials += more_trials
        return leaf

    def _key(self, domain: str, path: Path) -> _Key:
        return "" if domain == self._default else domain, _folded(path)

    def _opened(self, domain: str, names: Path) -> Level:
        level = self._levels.get((domain, names))
        if level is not None:
            return level
        level = self._levels.setdefault((domain, ()), Level(domain=domain))
        for depth in range(1, len(names) + 1):
            key = domain, names[:depth]
            narrower = self._levels.get(key)
            if narrower is None:
                if len(self._levels) >= self._most:
                    return level
                narrower = self._levels[key] = Level(names[:depth], level, domain)
            level = narrower
        return level


def _upwards(level: Level | None) -> Iterable[Level]:
    while level is not None:
        yield level
        level = level.parent


@lru_cache(maxsize=1 << 14)
def _folded(path: Path) -> Path:
    return tuple([name.casefold() for name in path])
