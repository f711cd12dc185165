"""What is left of a user who was forgotten, and which events it keeps out."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from features import privacy
from features.decay import DAY_MS
from features.events import Event
from features.privacy import MARKER_DAYS, Unstored, forget, marker_key, unstored
from features.profile import (
    Profile,
    anew,
    decode_profile,
    encode_profile,
    idle,
    learn,
    new_profile,
)
from tests.features.strategies import START, events, fresh_events

SOURCE = 9
LATER = st.integers(0, 100 * DAY_MS)


def row_of(seen: list[Event]) -> Profile:
    return reduce(lambda row, at: learn(row, at[1], 0, at[0]), enumerate(seen), new_profile())


@given(seen=fresh_events(), at=st.integers(START, START + DAY_MS), offset=st.integers(0, 2**40))
def test_a_marker_knows_the_request_and_nothing_of_the_user(
    seen: list[Event], at: int, offset: int
) -> None:
    left = forget(row_of(seen), at, SOURCE, offset)
    assert left == structs.replace(new_profile(), applied={SOURCE: offset}, forgotten_at=at)
    assert left is not None
    assert len(encode_profile(left)) < 150
    assert decode_profile(encode_profile(left)) == left


@given(
    seen=fresh_events(20),
    requests=st.lists(st.integers(START, START + DAY_MS), min_size=1, max_size=5),
)
def test_a_replayed_request_is_known_also_by_who_came_back(
    seen: list[Event], requests: list[int]
) -> None:
    row = new_profile()
    for offset, at in enumerate(requests):  # in any order: a broker's clock may be set back
        row = forget(row, at, SOURCE, offset) or row
    assert row.forgotten_at == max(requests)
    back = reduce(lambda r, at: learn(r, at[1], 0, at[0]), enumerate(seen), row)
    for known in (row, back, anew(back)):
        for offset, at in enumerate(requests):
            assert forget(known, at, SOURCE, offset) is None
        assert forget(known, max(requests), SOURCE, len(requests)) is not None
        # The topic may have been made anew, and counts from 0 again.
        assert forget(known, max(requests) + 1, SOURCE, 0) is not None


@given(event=events, late=st.integers(-DAY_MS, DAY_MS), refuse=st.booleans())
def test_what_happened_or_arrived_before_the_request_is_kept_out(
    event: Event, late: int, refuse: bool
) -> None:
    arrived = event.ts + late
    before, after = min(event.ts, arrived), min(event.ts, arrived) - 1
    marker = forget(new_profile(), before, SOURCE, 0)
    assert marker is not None
    assert unstored(marker, event, arrived, refuse=refuse) == Unstored.FORGOTTEN
    marker = forget(new_profile(), after, SOURCE, 0)
    assert marker is not None
    kept_out = unstored(marker, event, arrived, refuse=refuse)
    assert kept_out == (Unstored.REFUSED if refuse else None)
    assert unstored(new_profile(), event, arrived, refuse=refuse) is None


@given(event=events, refuse=st.booleans(), consent=st.sampled_from([None, True, False]))
def test_only_an_event_that_says_no_has_no_consent(
    event: Event, refuse: bool, consent: bool | None
) -> None:
    said = structs.replace(event, consent=consent)
    found = unstored(new_profile(), said, event.ts, refuse=refuse)
    assert found == (Unstored.NO_CONSENT if consent is False else None)


@given(at=st.integers(1, START), wait=LATER, ttl_days=st.integers(1, 1000))
def test_a_marker_goes_when_nothing_is_left_to_recognise_unless_it_refuses(
    at: int, wait: int, ttl_days: int
) -> None:
    marker = forget(new_profile(), at, SOURCE, 0)
    assert marker is not None
    gone = privacy.expired(marker, at + wait, ttl_days * DAY_MS, refuse=False)
    assert gone == (wait > MARKER_DAYS * DAY_MS)
    assert not privacy.expired(marker, at + wait, ttl_days * DAY_MS, refuse=True)


@given(seen=fresh_events(5), wait=LATER, refuse=st.booleans())
def test_a_user_expires_as_ever(seen: list[Event], wait: int, refuse: bool) -> None:
    row, ttl_ms = row_of(seen), 30 * DAY_MS
    now = row.newest_ts + wait
    assert privacy.expired(row, now, ttl_ms, refuse=refuse) == idle(row, now, ttl_ms)
    if seen:
        back = structs.replace(row, forgotten_at=START - 1)
        assert privacy.expired(back, now, ttl_ms, refuse=refuse) == idle(row, now, ttl_ms)


@given(one=st.text(min_size=1, max_size=30), other=st.text(min_size=1, max_size=30))
def test_a_marker_has_a_key_of_its_own_that_is_no_id(one: str, other: str) -> None:
    assert (marker_key(one) == marker_key(other)) == (one == other)
    with pytest.raises(UnicodeDecodeError):
        marker_key(one).decode()
