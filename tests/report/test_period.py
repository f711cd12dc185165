"""Times are read as people write them, and a period's steps cover it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decay import DAY_MS
from streams.report.period import MOST_STEPS, BadPeriod, Period, period

NOW = 1_769_860_800_000  # 2026-01-31T12:00Z
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("2026-01-30", "2026-01-31", (NOW - 36 * HOUR_MS, NOW - 12 * HOUR_MS, 0)),
        ("2026-01-31T11:00", None, (NOW - HOUR_MS, NOW, 0)),
        (None, None, (NOW - DAY_MS, NOW, 0)),
        ("2026-01-31T12:00+01:00", None, (NOW - HOUR_MS, NOW, 60)),
        (None, "2026-01-31T11:00-01:00", (NOW - DAY_MS, NOW, -60)),
        ("2026-01-31T11:59:30Z", "2026-01-31T12:00", (NOW - 30_000, NOW, 0)),
    ],
)
def test_times_as_people_write_them(
    begin: str | None, end: str | None, told: tuple[int, int, int]
) -> None:
    assert period(begin, end, NOW) == Period(*told)


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        ("yesterday", None, "--from 'yesterday' is no time; write 2026-01-31"),
        ("2026-01-30", "31.1.2026", "--to '31.1.2026' is no time"),
        ("2026-01-31", "2026-01-31", "2026-01-31 00:00 is not before --to 2026-01-31 00:00"),
        ("2026-02-01", None, "is not before --to"),
    ],
)
def test_what_is_no_period_is_refused(begin: str, end: str | None, said: str) -> None:
    with pytest.raises(BadPeriod, match=said.replace(".", r"\.")):
        period(begin, end, NOW)


def test_a_period_is_told_in_its_zone() -> None:
    assert Period(NOW, NOW + HOUR_MS).words == "2026-01-31 12:00 to 2026-01-31 13:00, UTC"
    told = Period(NOW, NOW + HOUR_MS, 60).words
    assert told == "2026-01-31 13:00 to 2026-01-31 14:00, UTC+01:00"


@given(length=st.integers(1, 400 * DAY_MS), part=st.floats(0, 1, exclude_max=True))
def test_every_time_of_a_period_lies_in_one_of_its_steps(length: int, part: float) -> None:
    one = Period(NOW, NOW + length)
    assert one.steps <= max(MOST_STEPS, -(-length // DAY_MS))
    assert 0 <= one.place(NOW + int(part * length)) < one.steps
    assert one.place(one.end - 1) == one.steps - 1
    assert one.before.end == one.begin
    assert one.before.steps == one.steps
