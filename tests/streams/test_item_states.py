"""What a ranking reads of an item's row: all kinds of pairs, and what of them was bought."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decay import HOUR_MS
from features.fading import ONE, faded, turn_start, turns_between
from features.item import ItemRow
from features.predecessors import PAIRS, WEIGHT_ONE, pair
from ranker.landmark import Landmark
from streams.item_states import item_state

kinds = st.tuples(
    *[st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(0, 999), st.integers(0, 99)))]
    * len(PAIRS)
)


def test_an_index_fades_in_the_turns_of_rows() -> None:
    half_life_ms, then = 4 * HOUR_MS, 1_700_000_000_000
    landmark = Landmark(half_life_ms)
    landmark.move(turn_start(then, half_life_ms))
    for later in range(then, then + 2 * half_life_ms, HOUR_MS // 3):
        began, ended = turn_start(then, half_life_ms), turn_start(later, half_life_ms)
        left = faded(1 << 40, turns_between(began, ended, half_life_ms)) / (1 << 40)
        assert landmark.left(later) == pytest.approx(left, rel=1e-4)


@given(kinds)
def test_every_pair_is_told_and_what_ended_in_a_purchase_is_told_apart(
    told: tuple[dict[str, tuple[int, int]], ...],
) -> None:
    row = ItemRow(
        predecessors=tuple(
            {item_id: pair(weight, n * ONE) for item_id, (weight, n) in pairs.items()}
            for pairs in told
        ),
        in_weight=3 * WEIGHT_ONE,
        reach=2 * ONE,
        queries={"mug": 5 * ONE // 2},
        as_of=7,
    )
    state = item_state("i", row)
    bought = [0.0] * len(state.forward) if state.bought is None else state.bought
    said = zip(state.predecessors, state.forward, state.passages, bought, strict=True)
    assert list(said) == [
        (item_id, weight / WEIGHT_ONE, n, weight / WEIGHT_ONE if kind in {1, 3} else 0.0)
        for kind, pairs in enumerate(told)
        for item_id, (weight, n) in pairs.items()
    ]
    assert (state.in_weight, state.reach, state.as_of) == (3.0, 2.0, 7)
    assert state.query_counts == {"mug": 2.5}
