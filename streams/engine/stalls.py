"""Partitions that have something to do and do not get on: how long, counted in looks."""

from collections.abc import Hashable, Mapping

from faust.types import TP

Mark = Hashable
"""Where a partition stands; any change of it is progress. None: there is nothing to do."""


class Stalls:
    """Counts the time since each partition last got on.

    Time is what passed between two looks. So a process that slept, or a broker that did not
    answer meanwhile, never passes for a partition that stands still.
    """

    def __init__(self) -> None:
        self._marks: dict[TP, Mark] = {}
        self._still_s: dict[TP, float] = {}

    def look(self, passed_s: float, marks: Mapping[TP, Mark | None]) -> None:
        """Compare with the look before.

        Args:
            passed_s: Since then, as far as it counts.
            marks: Every partition that is watched now; others are forgotten.
        """
        still = {}
        for tp, mark in marks.items():
            if mark is not None:
                same = self._marks.get(tp) == mark
                still[tp] = self._still_s.get(tp, 0.0) + passed_s if same else 0.0
        self._still_s = still
        self._marks = {tp: mark for tp, mark in marks.items() if mark is not None}

    def longer_than(self, limit_s: float) -> dict[TP, float]:
        """Return the partitions that stand still for `limit_s` or more, the longest first."""
        found = {tp: still_s for tp, still_s in self._still_s.items() if still_s >= limit_s}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))
