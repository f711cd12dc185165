"""How touches came: after what pause, and by what kind of event."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranker.history import MANNERS, PAUSES, History, manners
from tests.ranker.shops import NOW

TOUCHES = st.lists(
    st.tuples(st.integers(0, 10**10), st.sampled_from([0, 2])), min_size=1, max_size=30
)


@given(touches=TOUCHES)
def test_a_manner_tells_the_kind_and_the_pause_within_a_factor_of_two(
    touches: list[tuple[int, int]],
) -> None:
    times = NOW + np.cumsum([pause for pause, _ in touches])
    found = History.of(["i"] * len(touches), times, [kind for _, kind in touches]).manners
    assert found.dtype == np.int8
    assert ((found >= 0) & (found < MANNERS)).all()
    for (earlier, later), manner, (_, kind) in zip(
        pairwise(times.tolist()), found[1:].tolist(), touches[1:], strict=True
    ):
        seconds, pause = (later - earlier) // 1000, manner % PAUSES
        assert pause < PAUSES - 1
        assert 2**pause <= seconds + 1
        assert seconds + 1 < 2 ** (pause + 1) or pause == PAUSES - 2
        assert manner // PAUSES == (kind == 2)
    assert found[0] % PAUSES == PAUSES - 1


@given(touches=TOUCHES, begin=st.integers(0, 29))
def test_what_stands_before_a_first_touch_says_nothing(
    touches: list[tuple[int, int]], begin: int
) -> None:
    begin %= len(touches)
    times = NOW + np.cumsum([pause for pause, _ in touches])
    kinds = np.array([kind for _, kind in touches])
    first = np.arange(len(touches)) == begin
    alone = manners(times[begin:], kinds[begin:], first[begin:])
    np.testing.assert_array_equal(manners(times, kinds, first)[begin:], alone)


def test_times_that_go_back_are_no_pause() -> None:
    assert History.of(["a", "b"], [NOW, NOW - 5_000], [0, 0]).manners.tolist() == [PAUSES - 1, 0]
