"""One category: the sums over its items, and where their prices lie.

Prices are counted in bins of equal width in ln(price), so a quantile is off by half a bin at most.
Source: DDSketch, Masson et al., PVLDB 12(12), 2019.
"""

import math
from functools import lru_cache
from typing import NamedTuple

Path = tuple[str, ...]

BIN = 0.04
"""Width of a bin in ln(price): medians are right to 2 %."""
_LOWEST, _HIGHEST = round(math.log(1e-3) / BIN), round(math.log(1e12) / BIN)
"""Prices below 0.001 count as 0.001; none is above 1e12. So a category has 864 bins at most."""
NO_BIN = -(1 << 15)  # as a 16-bit number: of an item without a price

MIN_PRICES = 5
"""A category with fewer prices says nothing of what is usual; the next wider one is asked."""
MIN_SCALE = 0.1
"""Least deviation in ln(price): where most cost the same, 10 % more is one deviation."""
MAX_LEVEL = 4.0
"""Robust z-scores beyond are clipped: how far out an outlier lies says nothing more."""
PRIOR_CLICKS = 50
"""A rate counts as much as the wider category's once this many clicks are seen."""
_MAD_TO_SD = 1.4826  # of a normal distribution


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
        domain: "" is the default one.
        parent: The next wider category; None for the root.
        items: Items in it and in its narrower ones.
        prices: Those of them whose price is known.
        clicks, purchases: On all of them, ever.
        trials: Chances of a purchase: of each item its clicks, or its purchases where they are
            more, since some are bought without a click.
    """

    __slots__ = (
        "_bins",
        "clicks",
        "domain",
        "items",
        "parent",
        "path",
        "prices",
        "purchases",
        "trials",
    )

    def __init__(self, path: Path = (), parent: "Level | None" = None, domain: str = "") -> None:
        self.path = path
        self.domain = domain
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
        if price_bin != NO_BIN:
            self.prices += sign
            left = self._bins.get(price_bin, 0) + sign
            if left:
                self._bins[price_bin] = left
            else:
                del self._bins[price_bin]

    def touches(self) -> float:
        """Return how often an item was clicked or bought, ever, on average (see `trials`)."""
        return self.trials / max(self.items, 1)

    def conversion(self) -> float | None:
        """Return the purchases per click, 0..1, smoothed towards the next wider category's.

        None in a domain where nobody ever clicked, or nobody ever bought: it seems not to tell.
        """
        if self.parent is None:
            return self.purchases / self.trials if self.clicks and self.purchases else None
        wider = self.parent.conversion()
        return None if wider is None else smoothed(self.purchases, self.trials, wider)

    def spread(self) -> Spread | None:
        """Return where the prices lie; None while fewer than `MIN_PRICES` are known."""
        if self.prices < MIN_PRICES:
            return None
        found = [(number * BIN, held) for number, held in self._bins.items()]
        median = _median(found, self.prices)
        off = _median([(abs(value - median), held) for value, held in found], self.prices)
        return Spread(median, max(_MAD_TO_SD * off, MIN_SCALE))


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


@lru_cache(maxsize=1 << 14)
def bin_of(price: float | None) -> int:
    """Return the bin of a price; a price of 0 is none."""
    if not price or price <= 0:
        return NO_BIN
    return min(max(round(math.log(price) / BIN), _LOWEST), _HIGHEST)


def z_score(price: float, spread: Spread) -> float:
    """Return how many deviations a price above 0 lies over the median, clipped to `MAX_LEVEL`.

    Source: the robust z-score by median and MAD, Iglewicz and Hoaglin, How to Detect and Handle
    Outliers, 1993.
    """
    z = (math.log(price) - spread.median) / spread.scale
    return min(max(z, -MAX_LEVEL), MAX_LEVEL)


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
