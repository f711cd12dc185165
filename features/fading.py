"""Weights that halve with time, in whole numbers: what is old makes room and goes.

Time is cut into turns, `TURNS` to a half-life, the same for everybody. Within a turn weights only
add up, so that events of different sources may arrive in any order and still give equal sums; at
each turn all of them shrink by 2^(-1/`TURNS`), rounded down, so that what is not renewed ends as 0.
"""

from collections.abc import Mapping

TURNS = 4
"""Turns of a half-life."""
HALF_LIFE_DAYS = 90
"""Unless a shop says otherwise."""
ONE = 64
"""What a count of one is stored as."""
_BITS = 16
_FACTORS = tuple(round(2 ** (_BITS - turn / TURNS)) for turn in range(TURNS))


def turn_start(ts: int, half_life_ms: int) -> int:
    """Return when the turn of a time in ms began; 0 where nothing ever fades (half-life 0)."""
    turn_ms = half_life_ms // TURNS
    return ts - ts % turn_ms if turn_ms else 0


def turns_between(earlier: int, later: int, half_life_ms: int) -> int:
    """Return how many whole turns lie between two times in ms, 0 where `later` is not later."""
    turn_ms = half_life_ms // TURNS
    return max(0, later - earlier) // turn_ms if turn_ms else 0


def faded(weight: int, turns: int) -> int:
    """Return a stored weight after so many turns."""
    return weight * _FACTORS[turns % TURNS] >> _BITS + turns // TURNS


def all_faded(weights: Mapping[str, int], turns: int) -> dict[str, int]:
    """Return weights after so many turns, without those of which nothing is left."""
    after = ((name, faded(weight, turns)) for name, weight in weights.items())
    return {name: weight for name, weight in after if weight}
