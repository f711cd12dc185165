"""What is usual in a category: running statistics of all items' prices, clicks and purchases.

A category is a path, the widest name first; case does not count. An item counts in its category,
in every wider one (each prefix of the path) and in the root, which is all items. An item without a
category counts in the root alone. Everything is summed in whole numbers, so items may be put,
changed and dropped in any order, and what is left is as if counted anew.

Prices are counted in bins of equal width in ln(price), so a quantile is off by half a bin at most.
Source: DDSketch, Masson et al., PVLDB 12(12), 2019.
"""

import math
from array import array
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

Path = tuple[str, ...]

BIN = 0.04
"""Width of a bin in ln(price): medians are right to 2 %."""
_LOWEST, _HIGHEST = round(math.log(1e-3) / BIN), round(math.log(1e12) / BIN)
"""Prices below 0.001 count as 0.001; none is above 1e12. So a category has 864 bins at most."""
_NO_BIN = -(1 << 15)  # as a 16-bit number: of an item without a price

MAX_CATEGORIES = 10_000
"""Categories beyond this many are not opened: their items count in the wider ones that are open.
Which came first then matters. A category that loses its last item makes room."""
MIN_PRICES = 5
"""A category with fewer prices says nothing of what is usual; the next wider one is asked."""
MIN_SCALE = 0.1
"""Least deviation in ln(price): where most cost the same, 10 % more is one deviation."""
MAX_LEVEL = 4.0
"""Robust z-scores beyond are clipped: how far out an outlier lies says nothing more."""
PRIOR_CLICKS = 50
"""A rate counts as much as the wider category's once this many clicks are seen."""
_MAD_TO_SD = 1.4826  # of a normal distribution


class Figures(NamedTuple):
    """What an item adds to its categories.

    Attributes:
        path: Its category, () where it has none; at most `cleaning.MAX_LEVELS` names.
        price: In the shop's currency; None or 0 where it is not known.
        clicks: On it, ever.
        purchases: Of it, ever.
    """

    path: Path = ()
    price: float | None = None
    clicks: int = 0
    purchases: int = 0


class Spread(NamedTuple):
    """Where the prices of a category lie, in ln(currency).

    Attributes:
        median: Of ln(price).
        scale: Median absolute deviation from it, times 1.4826: the standard deviation where
            ln(price) is normal. At least `MIN_SCALE`.
    """

    median: float
    scale: float


class Level:
    """The sums of one category.

    Attributes:
        path: The category's names without case; () is the root.
        parent: The next wider category; None for the root.
        items: Items in it and in its narrower ones.
        prices: Those of them whose price is known.
        clicks, purchases: On all of them, ever.
        trials: Chances of a purchase: of each item its clicks, or its purchases where they are
            more, since some are bought without a click.
    """

    __slots__ = ("_bins", "clicks", "items", "parent", "path", "prices", "purchases", "trials")

    def __init__(self, path: Path = (), parent: "Level | None" = None) -> None:
        self.path = path
        self.parent = parent
        self.items = self.prices = self.clicks = self.purchases = self.trials = 0
        self._bins: dict[int, int] = {}

    def count(self, price_bin: int, clicks: int, purchases: int, sign: int) -> None:
        """Add an item (sign 1), or take it away again (sign -1).

        Args:
            price_bin: See `bin_of`.
            clicks: On it.
            purchases: Of it.
            sign: 1 or -1.
        """
        self.items += sign
        self.clicks += sign * clicks
        self.purchases += sign * purchases
        self.trials += sign * max(clicks, purchases)
        if price_bin != _NO_BIN:
            self.prices += sign
            left = self._bins.get(price_bin, 0) + sign
            if left:
                self._bins[price_bin] = left
            else:
                del self._bins[price_bin]

    def spread(self) -> Spread | None:
        """Return where the prices lie; None while fewer than `MIN_PRICES` are known."""
        if self.prices < MIN_PRICES:
            return None
        found = [(number * BIN, held) for number, held in self._bins.items()]
        median = _median(found, self.prices)
        off = _median([(abs(value - median), held) for value, held in found], self.prices)
        return Spread(median, max(_MAD_TO_SD * off, MIN_SCALE))


class CategoryLevels:
    """The statistics of every category, kept up item by item.

    Unlike rows this changes in place: it holds all items of a shop. A slot is a small whole number
    that stays with its item; each takes 26 bytes.

    Args:
        most: Categories opened at most, the root among them (see `MAX_CATEGORIES`).
    """

    def __init__(self, most: int = MAX_CATEGORIES) -> None:
        self.root = Level()
        self._most = most
        self._levels: dict[Path, Level] = {(): self.root}
        self._leaves: list[Level | None] = []
        self._bins, self._clicks, self._purchases = array("h"), array("q"), array("q")

    def __len__(self) -> int:
        """Count the categories, the root included."""
        return len(self._levels)

    def put(self, slot: int, figures: Figures) -> None:
        """Replace what an item adds to its categories."""
        if self._moved(slot, figures):
            return
        self.drop(slot)
        missing = slot + 1 - len(self._leaves)
        if missing > 0:
            self._leaves += [None] * missing
            for column in (self._bins, self._clicks, self._purchases):
                column.frombytes(bytes(missing * column.itemsize))
        leaf = self._opened(_key(figures.path))
        price_bin = bin_of(figures.price)
        self._leaves[slot] = leaf
        self._bins[slot] = price_bin
        self._clicks[slot] = figures.clicks
        self._purchases[slot] = figures.purchases
        for level in _upwards(leaf):
            level.count(price_bin, figures.clicks, figures.purchases, 1)

    def drop(self, slot: int) -> None:
        """Take an item out of its categories; a slot that adds nothing changes nothing."""
        leaf = self._leaves[slot] if slot < len(self._leaves) else None
        if leaf is None:
            return
        figures = self._bins[slot], self._clicks[slot], self._purchases[slot]
        self._leaves[slot] = None
        for level in _upwards(leaf):
            level.count(*figures, -1)
            if not level.items and level.parent is not None:
                del self._levels[level.path]

    def at(self, path: Path) -> Level:
        """Return the narrowest open category of a path; the root where none is."""
        key = _key(path)
        for depth in range(len(key), 0, -1):
            found = self._levels.get(key[:depth])
            if found is not None:
                return found
        return self.root

    def priced(self, path: Path) -> tuple[Level, Spread] | None:
        """Return the narrowest category of a path whose usual price is known; None without any."""
        for level in _upwards(self.at(path)):
            spread = level.spread()
            if spread is not None:
                return level, spread
        return None

    def conversion(self, path: Path) -> float | None:
        """Return the purchases per click in a category, 0..1, smoothed towards the wider one's.

        None in a shop where nobody ever clicked, or nobody ever bought: it seems not to tell.
        """
        if not (self.root.clicks and self.root.purchases):
            return None
        rate = self.root.purchases / self.root.trials
        for level in reversed([*_upwards(self.at(path))][:-1]):
            rate = smoothed(level.purchases, level.trials, rate)
        return rate

    def touches(self, path: Path) -> float:
        """Return how often an item of a category was clicked or bought, ever, on average.

        Of the more frequent of both, item by item. 0 in a shop without items.
        """
        level = self.at(path)
        return level.trials / max(level.items, 1)

    def _moved(self, slot: int, figures: Figures) -> bool:
        """Count more of what an item had; say whether that is all that has changed of it."""
        leaf = self._leaves[slot] if slot < len(self._leaves) else None
        if leaf is None or leaf.path != _key(figures.path):
            return False
        if self._bins[slot] != bin_of(figures.price):
            return False
        clicks, purchases = self._clicks[slot], self._purchases[slot]
        more = (
            figures.clicks - clicks,
            figures.purchases - purchases,
            max(figures.clicks, figures.purchases) - max(clicks, purchases),
        )
        self._clicks[slot], self._purchases[slot] = figures.clicks, figures.purchases
        for level in _upwards(leaf):
            level.clicks += more[0]
            level.purchases += more[1]
            level.trials += more[2]
        return True

    def _opened(self, key: Path) -> Level:
        level = self._levels.get(key)
        if level is not None:
            return level
        level = self.root
        for depth in range(1, len(key) + 1):
            narrower = self._levels.get(key[:depth])
            if narrower is None:
                if len(self._levels) >= self._most:
                    return level
                narrower = self._levels[key[:depth]] = Level(key[:depth], level)
            level = narrower
        return level


def bin_of(price: float | None) -> int:
    """Return the bin of a price; a price of 0 is none."""
    if not price or price <= 0:
        return _NO_BIN
    return min(max(round(math.log(price) / BIN), _LOWEST), _HIGHEST)


def z_score(price: float, spread: Spread) -> float:
    """Return how many deviations a price above 0 lies over the median, clipped to `MAX_LEVEL`.

    Source: the robust z-score by median and MAD, Iglewicz and Hoaglin, How to Detect and Handle
    Outliers, 1993.
    """
    z = (math.log(price) - spread.median) / spread.scale
    return min(max(z, -MAX_LEVEL), MAX_LEVEL)


def smoothed(purchases: int, trials: int, prior: float) -> float:
    """Return a rate of purchases, drawn towards what is usual: the more so, the fewer the trials.

    The mean of the beta distribution that follows from one with mean `prior` and the weight of
    `PRIOR_CLICKS` trials. Source: the beta-binomial model, with its prior taken from the data
    (empirical Bayes): Gelman et al., Bayesian Data Analysis, 3rd edition, chapter 5.

    Args:
        purchases: At most `trials`.
        trials: See `Level`.
        prior: 0..1.
    """
    return (purchases + PRIOR_CLICKS * prior) / (trials + PRIOR_CLICKS)


def _upwards(level: Level | None) -> Iterable[Level]:
    while level is not None:
        yield level
        level = level.parent


def _median(counted: list[tuple[float, int]], total: int) -> float:
    """Return the median of values that come so many times each, `total` in all."""
    below, lower = 0, None
    for value, held in sorted(counted):
        below += held
        if lower is None and below > (total - 1) // 2:
            lower = value
        if lower is not None and below > total // 2:
            return (lower + value) / 2
    raise ValueError(f"{total} values were promised, {below} came")


@lru_cache(maxsize=1 << 14)
def _key(path: Path) -> Path:
    return tuple([name.casefold() for name in path])
