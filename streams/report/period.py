"""The time that a report is about."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple, Self

from features.decay import DAY_MS, HOUR_MS

_MINUTE_MS = 60_000
STEPS_MS = (_MINUTE_MS, 5 * _MINUTE_MS, 15 * _MINUTE_MS, HOUR_MS, 6 * HOUR_MS, DAY_MS)
MOST_STEPS = 72
"""Points of a line at most, but for periods of more days than that."""


class BadPeriod(ValueError):
    """No time, or no period; the message names the value, the rule and the cure."""


class Period(NamedTuple):
    """Times in ms, the end not included, and the zone in which they are told, minutes from UTC."""

    begin: int
    end: int
    zone_minutes: int = 0

    @property
    def before(self) -> Self:
        """The period of the same length that ends where this one begins."""
        return self._replace(begin=2 * self.begin - self.end, end=self.begin)

    @property
    def step_ms(self) -> int:
        """Time of a point: the shortest of `STEPS_MS` that makes no more than `MOST_STEPS`."""
        length = self.end - self.begin
        return next((step for step in STEPS_MS if length <= step * MOST_STEPS), DAY_MS)

    @property
    def steps(self) -> int:
        """How many points there are; the last may be shorter."""
        return -(-(self.end - self.begin) // self.step_ms)

    def holds(self, ts: int) -> bool:
        """Tell whether a time lies in the period."""
        return self.begin <= ts < self.end

    def place(self, ts: int) -> int:
        """Return the number, from 0, of the point that a time of the period belongs to."""
        return (ts - self.begin) // self.step_ms

    def clock(self, ts: float, pattern: str = "%Y-%m-%d %H:%M") -> str:
        """Return a time as people read it, in the zone of the period."""
        zone = timezone(timedelta(minutes=self.zone_minutes))
        return datetime.fromtimestamp(ts / 1000, zone).strftime(pattern)

    @property
    def words(self) -> str:
        """The period as people say it."""
        zone = timezone(timedelta(minutes=self.zone_minutes))
        return f"{self.clock(self.begin)} to {self.clock(self.end)}, {zone}"


def period(begin: str | None, end: str | None, now_ms: int) -> Period:
    """Return the period that two times name.

    Args:
        begin: As `2026-01-31`, `2026-01-31T12:00`, or with a zone behind; UTC where it names none.
            None: a day before the end.
        end: Likewise, and not included. None: now.
        now_ms: The time, for an end that is left out.

    Raises:
        BadPeriod: one is no time, or they are the wrong way round.
    """
    first = None if begin is None else _time("--from", begin)
    last = None if end is None else _time("--to", end)
    named = next((one.tzinfo for one in (first, last) if one is not None), UTC)
    ends = now_ms if last is None else _ms(last)
    begins = ends - DAY_MS if first is None else _ms(first)
    found = Period(begins, ends, _minutes(named, first or last))
    if begins < 0 or begins >= ends:
        raise BadPeriod(f"--from {found.clock(begins)} is not before --to {found.clock(ends)}")
    return found


def _time(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadPeriod(
            f"{option} {text!r} is no time; write 2026-01-31, 2026-01-31T12:00 (UTC) or "
            "2026-01-31T12:00+01:00"
        ) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def _minutes(zone: tzinfo | None, at: datetime | None) -> int:
    offset = None if zone is None else zone.utcoffset(at)
    return 0 if offset is None else int(offset.total_seconds() // 60)
