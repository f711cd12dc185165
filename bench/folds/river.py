"""River's statistics nearest to those of our row, objects in memory, in River's environment.

For each user and kind of event: a count, four exponentially weighted means (by events: River has
none by time) and four counts over time windows; for each user the variance of the prices. River
has no rows, no recent touches and no guard against duplicates, so that much less is done here.
"""

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from river import stats, utils

from bench.folds.tape import Taped, run

_FADING = (0.5, 0.1, 0.02, 0.005)
_PERIODS = tuple(map(dt.timedelta, (1 / 24, 1, 7, 30)))


class OfKind:
    """The statistics of one user and kind."""

    def __init__(self) -> None:
        self.count = stats.Count()
        self.decayed = [stats.EWMean(fading) for fading in _FADING]
        self.windows = [utils.TimeRolling(stats.Sum, period=period) for period in _PERIODS]


_kinds: defaultdict[tuple[str, str], OfKind] = defaultdict(OfKind)
_prices: defaultdict[str, Any] = defaultdict(stats.Var)


def decode(records: Sequence[Taped]) -> list[Any]:
    """Decode without checks."""
    return [
        (msgspec.json if value[:1] == b"{" else msgspec.msgpack).decode(value)
        for _, _, value, _ in records
    ]


def learn(events: Sequence[Any], first: int) -> None:
    """Learn the events one by one."""
    del first
    for event in events:
        user = event["user_id"]
        of_kind = _kinds[user, event["type"]]
        at = dt.datetime.fromtimestamp(event["ts"] / 1000, dt.UTC).replace(tzinfo=None)
        of_kind.count.update(1)
        for mean in of_kind.decayed:
            mean.update(1)
        for window in of_kind.windows:
            window.update(1, t=at)
        if price := event.get("price"):
            _prices[user].update(math.log(price))


if __name__ == "__main__":
    run(decode, learn)
