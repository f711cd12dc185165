"""Means over time in bounded memory."""

from dataclasses import dataclass, replace

from streams.figures.outcome import Outcome
from streams.figures.result import Curve, Point

POINTS = 48
"""Points at most; where there would be one more, each two become one."""
LEAST = 50
"""Lists of a point, to begin with."""


@dataclass(slots=True)
class _Sums:
    event: int = 0
    lists: int = 0
    hits: int = 0
    losses: int = 0  # lists that have a loss
    loss: float = 0.0

    def add(self, later: "_Sums") -> None:
        self.event = later.event
        self.lists += later.lists
        self.hits += later.hits
        self.losses += later.losses
        self.loss += later.loss


class CurveOf:
    """The hit rate and the loss of lists, in the order in which they were made.

    All points are of equally many lists, a power of 2 times `LEAST`, but the last: it has between
    half and one and a half times as many, or all there are.
    """

    def __init__(self) -> None:
        self._points: list[_Sums] = []
        self._lists = LEAST

    def add(self, found: Outcome) -> None:
        """Take a list."""
        loss = found.loss
        if not self._points or self._points[-1].lists >= self._lists:
            if len(self._points) == POINTS:
                self._halve()
            self._points.append(_Sums())
        self._points[-1].add(
            _Sums(found.answer.number, 1, found.position > 0, loss is not None, loss or 0.0)
        )

    def curve(self, name: str) -> Curve:
        """Return the points so far."""
        points = self._points
        if len(points) > 1 and points[-1].lists < self._lists / 2:  # too few to say much
            last = replace(points[-2])
            last.add(points[-1])
            points = [*points[:-2], last]
        return Curve(
            name=name,
            points=tuple(
                Point(
                    event=one.event,
                    lists=one.lists,
                    hr=round(one.hits / one.lists, 5),
                    loss=round(one.loss / one.losses, 5) if one.losses else None,
                )
                for one in points
            ),
        )

    def _halve(self) -> None:
        for first, second in zip(self._points[::2], self._points[1::2], strict=True):
            first.add(second)
        self._points = self._points[::2]
        self._lists *= 2
