"""What the guard says of ids, acts, searches and times, apart from any row."""

from hypothesis import given
from hypothesis import strategies as st

from features.events import Kind
from features.guard import (
    ID_BYTES,
    Lateness,
    Rules,
    asked_beside,
    done_beside,
    known,
    lateness,
    too_many,
)
from features.profile import Query
from features.touches import Touch, touches_of
from features.windows import Windows, add
from tests.features.strategies import DAY, MINUTE, START, times

touches = st.lists(
    st.builds(
        Touch,
        item_id=st.sampled_from("abc"),
        kind=st.sampled_from([Kind.CLICK, Kind.PURCHASE]),
        ts=st.integers(START, START + 20),
    ),
    max_size=20,
).map(lambda found: sorted(found, key=lambda touch: touch.ts))


@given(touches, st.sampled_from("abc"), st.integers(START - 5, START + 25), st.integers(0, 6))
def test_an_act_is_found_beside_another_as_a_look_at_all_finds_it(
    acts: list[Touch], item_id: str, ts: int, within_ms: int
) -> None:
    expected = any(
        act.item_id == item_id and act.kind == Kind.CLICK and abs(act.ts - ts) <= within_ms
        for act in acts
    )
    assert done_beside(touches_of(acts), item_id, Kind.CLICK, ts, within_ms) is expected


@given(st.lists(st.binary(min_size=ID_BYTES, max_size=ID_BYTES)), st.integers(0, 2**16))
def test_ids_that_stand_together_are_known_and_no_others(ids: list[bytes], place: int) -> None:
    together = b"".join(ids)
    assert all(known(together, one) for one in ids)
    cut = together[place % (len(together) + 1) :][:ID_BYTES]
    if len(cut) == ID_BYTES:
        assert known(together, cut) is (cut in ids)


def test_an_id_is_not_found_across_two_others() -> None:
    ids = b"abcdef" + b"ghijkl" + b"defghi"
    assert known(ids, b"ghijkl")
    assert known(ids, b"defghi"), "found across the first two, then in its own place"
    assert not known(ids, b"jkldef")


def test_a_search_is_asked_again_whatever_its_case() -> None:
    asked = [Query("s1", "Red mug", START), Query("s2", "lamp", START + 500)]
    assert asked_beside(asked, "RED MUG", START + 1000, 1000)
    assert not asked_beside(asked, "RED MUG", START + 1001, 1000)
    assert asked_beside(asked, "red mug", START - 1000, 1000)
    assert not asked_beside(asked, "mug", START, 1000)


@given(st.lists(times, max_size=30), times)
def test_limits_of_0_bind_nobody(stamps: list[int], ts: int) -> None:
    windows = Windows()
    for stamp in stamps:
        windows = add(windows, stamp)
    assert not too_many(windows, len(stamps), ts, Rules())


def test_what_a_ring_has_left_behind_is_within_the_limits() -> None:
    windows = add(add(Windows(), START), START + 31 * DAY)
    rules = Rules(per_5_minutes=1, per_day=1)
    assert not too_many(windows, 2, START, rules)
    assert too_many(windows, 2, START + 31 * DAY + MINUTE, rules)


@given(times, times, st.integers(0, DAY))
def test_an_event_is_in_order_out_of_it_or_late(newest: int, ts: int, late_ms: int) -> None:
    expected = (
        None if ts >= newest else Lateness.OUT_OF_ORDER if ts >= newest - late_ms else Lateness.LATE
    )
    assert lateness(newest, ts, late_ms) is expected
