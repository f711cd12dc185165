"""Counts that halve with time: what is recent weighs more, and nothing has to be swept.

Source: exponential case of forward decay, Cormode et al., ICDE 2009. Events may arrive in any
order: a late one is discounted by its own age, and never moves a clock backwards.
"""

from collections.abc import Sequence

from msgspec import Struct

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Decayed(Struct, array_like=True, frozen=True, gc=False):
    """One sum of weights under several half-lives, which the caller knows.

    Attributes:
        values: A sum for each half-life, its weights halved once per half-life since their events.
            () before any event.
        ts: The newest event's time, which `values` are as of.
    """

    values: tuple[float, ...] = ()
    ts: int = 0


NONE_YET = Decayed()


def add(count: Decayed, weight: float, ts: int, half_lives_ms: Sequence[int]) -> Decayed:
    """Add a weight at event time ts."""
    values, age = count.values, count.ts - ts
    if not values:
        return Decayed((float(weight),) * len(half_lives_ms), ts)
    if age == 0:  # as the lines of an order
        return Decayed(tuple([v + weight for v in values]), ts)
    pairs = zip(values, half_lives_ms, strict=True)
    # Exponents are never above 0, so nothing overflows.
    if age < 0:
        return Decayed(tuple([v * 2.0 ** (age / h) + weight for v, h in pairs]), ts)
    return Decayed(tuple([v + weight * 2.0 ** (-age / h) for v, h in pairs]), count.ts)


def value_at(count: Decayed, ts: int, half_lives_ms: Sequence[int]) -> tuple[float, ...]:
    """Return the sums as of ts (as of the newest event, where that is later), 0 before any."""
    if not count.values:
        return (0.0,) * len(half_lives_ms)
    age = min(count.ts - ts, 0)
    return tuple([v * 2.0 ** (age / h) for v, h in zip(count.values, half_lives_ms, strict=True)])
