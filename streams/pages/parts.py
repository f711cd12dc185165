"""What a report is made of, in words: the same for the terminal and for the page."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

_WHOLE = 100  # from here on, decimals say nothing


class Table(NamedTuple):
    """A list of things: rows of cells, as texts."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


class Bar(NamedTuple):
    """A bar of a chart, and what it says."""

    text: str
    part: float  # of the longest bar, 0..1


class Bars(NamedTuple):
    """A chart of bars: a label for each row, which has a bar or several to compare."""

    title: str
    unit: str
    rows: Sequence[tuple[str, Sequence[Bar]]]

    @property
    def compares(self) -> bool:
        """Whether any row has several bars, whose texts then say what each of them is."""
        return any(len(drawn) > 1 for _, drawn in self.rows)


class Line(NamedTuple):
    """A value over time, drawn from 0 to its highest.

    Attributes:
        title, unit: What it is.
        points: `x,y` of each point for a polyline, x from 0 to 100, y from 40 (the value 0) to 0.
        top: The highest value.
        ends: Where the time axis begins and ends.
        values: The same in words: (time, value).
        marks: What happened meanwhile: (x, what).
    """

    title: str
    unit: str
    points: str
    top: str
    ends: tuple[str, str]
    values: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, str]] = ()


def number(value: float | None) -> str:
    """Return a number with as many digits as matter."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= _WHOLE or value == int(value) else f"{value:.3g}"


def line(
    title: str,
    unit: str,
    points: Sequence[tuple[float, float]],
    *,
    clock: Callable[[float], str] = number,
    marks: Sequence[tuple[float, str]] = (),
) -> Line:
    """Return a line through points of (time, value), in time order; values are 0 or above.

    Args:
        title: What it is.
        unit: Of the values.
        points: One at least.
        clock: Puts a time into words.
        marks: Times at which something happened, and what; those beyond the points are left out.

    Raises:
        ValueError: there is no point.
    """
    if not points:
        raise ValueError(f"{title}: no point; a line needs at least one")
    (first, _), (last, _) = points[0], points[-1]
    top = max(value for _, value in points)

    def across(time: float) -> str:
        return f"{100 * (time - first) / ((last - first) or 1):.2f}"

    drawn = [f"{across(time)},{40 - 40 * value / (top or 1):.2f}" for time, value in points]
    if len(drawn) == 1:  # one point alone would not be seen
        drawn.append(f"100,{drawn[0].partition(',')[2]}")
    return Line(
        title,
        unit,
        " ".join(drawn),
        number(top),
        (clock(first), clock(last)),
        [(clock(time), number(value)) for time, value in points],
        [(across(time), f"{clock(time)} {what}") for time, what in marks if first <= time <= last],
    )
