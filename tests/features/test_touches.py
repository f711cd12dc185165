"""What a user touched last, side by side, says the same as one touch after the other."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.touches import MAX_TOUCHES, Touch, Touches, touches_of, with_touch
from tests.features.strategies import short_or_long

acts = short_or_long(
    st.builds(
        Touch,
        st.text(min_size=1, max_size=3),  # an id may hold anything
        st.sampled_from([0, 2]),
        st.integers(0, 9) | st.integers(0, 2**62),
    ),
    2 * MAX_TOUCHES,
)


@given(acts)
def test_the_newest_stay_in_the_order_of_their_times(arrived: list[Touch]) -> None:
    touches = Touches()
    for number, act in enumerate(arrived, start=1):
        touches = with_touch(touches, *act)
        assert [*touches] == sorted(arrived[:number], key=lambda one: one.ts)[-MAX_TOUCHES:]


@given(acts)
def test_every_view_is_of_the_same_touches(arrived: list[Touch]) -> None:
    by_time = sorted(arrived, key=lambda one: one.ts)[-MAX_TOUCHES:]
    touches = touches_of(by_time)
    assert [*touches] == by_time
    assert [*touches.newest_first()] == [tuple(one) for one in reversed(by_time)]
    assert touches.at() == tuple(one.ts for one in by_time)
    assert touches.newest_ts == max((one.ts for one in by_time), default=0)
    assert (len(touches), bool(touches)) == (len(by_time), bool(by_time))


@given(acts)
def test_touches_survive_their_encoding(arrived: list[Touch]) -> None:
    touches = touches_of(arrived[:MAX_TOUCHES])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(touches), type=Touches) == touches


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ((["a"], b"\0\0", bytes(8)), "1 touches with 2 kinds and 8 bytes"),
        ((["a"], b"\0", bytes(9)), "1 touches with 1 kinds and 9 bytes"),
        (([], b"", b"\0"), "0 touches with 0 kinds and 1 bytes"),
        ((["a"] * 51, bytes(51), bytes(8 * 51)), "51 touches, a row holds 50"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields: Sequence[object], match: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=match):
        msgspec.msgpack.decode(msgspec.msgpack.encode(fields), type=Touches)
