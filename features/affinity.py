"""What a user leans to: names whose weights halve with time, the heaviest few.

A weight is kept as the log2 of what it would be had nothing decayed since 1970. So an addition
moves one number, and which of two names weighs more never changes between additions. As long as
names did not have to go, any order of arrival gives the same weights, up to rounding.

Source: forward decay, Cormode et al., ICDE 2009, in logarithms.
"""

from collections.abc import Mapping
from math import floor, log2
from typing import Final, TypeVar

from features.decay import DAY_MS
from features.events import Kind

HALF_LIFE_MS = 30 * DAY_MS
MAX_NAMES = 4
WEIGHTS: Final[Mapping[Kind, float]] = {Kind.CLICK: 1.0, Kind.PURCHASE: 4.0}
_LOWEST, _HIGHEST = -20, 80  # bands of prices from 0.001 to 1e12

Name = TypeVar("Name", str, int)


def lean(weights: Mapping[Name, float], name: Name, weight: float, ts: int) -> dict[Name, float]:
    """Return the weights after a touch of something of that name.

    Args:
        weights: Name -> weight as above; at most `MAX_NAMES`.
        name: What was touched.
        weight: Above 0.
        ts: Event time in ms.

    Returns:
        The heaviest `MAX_NAMES`; the lightest name went, be it the new one.
    """
    more = log2(weight) + ts / HALF_LIFE_MS
    known = weights.get(name)
    if known is not None:
        low, high = (known, more) if known < more else (more, known)
        more = high + log2(1.0 + 2.0 ** (low - high))
    after = {**weights, name: more}
    if len(after) > MAX_NAMES:
        del after[min(after, key=after.__getitem__)]
    return after


def shares(weights: Mapping[Name, float]) -> dict[Name, float]:
    """Return what part of all weight each name has, the heaviest first; they add up to 1."""
    if not weights:
        return {}
    highest = max(weights.values())
    ratios = {name: 2.0 ** (weight - highest) for name, weight in weights.items()}
    total = sum(ratios.values())
    heaviest = sorted(ratios, key=lambda name: -ratios[name])
    return {name: ratios[name] / total for name in heaviest}


def price_band(price: float) -> int:
    """Return the band of a price above 0: each is half as wide again as the one before (√2).

    Band b holds prices from 2^(b/2) up to 2^((b+1)/2); below 0.001 all share one.
    """
    band = floor(2 * log2(price))
    return band if _LOWEST <= band <= _HIGHEST else _LOWEST if band < _LOWEST else _HIGHEST


def band_code(band: int) -> int:
    """Return a band's number from 1 on, so that 0 can stand for no price."""
    return band - _LOWEST + 1


def band_start(band: int) -> float:
    """Return the lowest price of a band."""
    return float(2.0 ** (band / 2))
