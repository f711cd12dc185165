"""What fades in an index is what would be left, had it been told at the time of the list."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.items import ItemIndex
from ranker.landmark import Landmark
from ranker.scores import SCORES
from tests.ranker.reference import scores_of
from tests.ranker.shops import (
    FACTORS,
    HOUR,
    NOW,
    TURN,
    generated,
    random_request,
    random_state,
    seldom,
)

SEEDS = st.integers(0, 10_000)
_BY_NAME = {name: (name.removeprefix("rank_"),) for name in SCORES if name.startswith("rank_")}
RANKED = _BY_NAME | {"rank_query": ("query_exact", "query_squashed", "query_terms")}


@seldom
@given(seed=SEEDS, items=st.integers(1, 40), jump=st.sampled_from([0, 50, 2000]))
def test_weights_that_fade_rank_like_weights_that_were_told_faded(
    seed: int, items: int, jump: int
) -> None:
    """A jump in time lets the landmark move, with what stands around the old one."""
    rng = np.random.default_rng(seed)
    fading, told = ItemIndex(factors=FACTORS, half_life_ms=HOUR), ItemIndex(factors=FACTORS)
    for number in range(items):
        state = random_state(number, items, rng)
        if number > items // 2:
            state = state._replace(as_of=state.as_of + jump * HOUR)
        left = 2.0 ** ((state.as_of - NOW - jump * HOUR) / HOUR)
        fading.put(state)
        told.put(
            state._replace(
                forward=np.float32(left) * np.asarray(state.forward),
                passages=np.float32(left) * np.asarray(state.passages),
                bought=None
                if state.bought is None
                else np.float32(left) * np.asarray(state.bought),
                in_weight=state.in_weight * left,
                reach=state.reach * left,
                query_counts={key: n * left for key, n in state.query_counts.items()},
            )
        )
    now = NOW + jump * HOUR
    request = random_request(fading, rng, now=now, uncounted=60)
    found, expected = (scores_of(generated([request], index), 0) for index in (fading, told))
    assert found.keys() == expected.keys()
    for slot, values in found.items():
        assert _unranked(values) == pytest.approx(_unranked(expected[slot]), rel=1e-3, abs=1e-5)
    for rank, of in RANKED.items():
        assert _by_rank(found, rank, of) == pytest.approx(_by_rank(expected, rank, of), rel=1e-3)


def _unranked(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in RANKED}


def _by_rank(
    scores: dict[int, dict[str, float]], rank: str, of: tuple[str, ...]
) -> dict[float, float]:
    """Return rank -> the score there: of items with equal scores, any may be first."""
    return {
        values[rank]: sum(values[name] for name in of) for values in scores.values() if values[rank]
    }


def test_time_that_runs_away_takes_the_landmark_along_and_time_that_goes_back_does_not() -> None:
    landmark = Landmark(HOUR)
    assert landmark.move(NOW) == 1.0
    assert landmark.scale(NOW + HOUR) == 2.0
    assert landmark.move(NOW + 40 * HOUR) == 1.0
    assert landmark.move(NOW + 41 * HOUR) == 2.0**-41
    assert landmark.scale(NOW + 41 * HOUR) == 1.0
    assert landmark.move(0) == 1.0
    assert landmark.scale(0) == 0.0
    assert landmark.left(NOW + 42 * HOUR) == 0.5


@given(st.integers(0, 2**42), st.integers(0, 2**42))
def test_no_time_is_out_of_range(one: int, other: int) -> None:
    landmark = Landmark(HOUR)
    for ts in (one, other):
        assert 0 <= landmark.move(ts) <= 1
        assert 0 <= landmark.scale(ts) <= 2.0**40
        assert 0 <= landmark.left(ts) <= 2.0**40


def test_what_is_left_falls_in_turns() -> None:
    landmark = Landmark(HOUR)
    landmark.move(NOW)
    times = [NOW, NOW + TURN - 1, NOW + TURN, NOW + 2 * TURN]
    assert [landmark.left(ts) for ts in times] == pytest.approx([1, 1, 2**-0.25, 2**-0.5])
    then = np.array([[NOW, NOW + TURN]])
    since = landmark.left_since(then, np.array([[NOW + 2 * TURN]]))
    assert since.tolist() == [pytest.approx([2**-0.5, 2**-0.25])]


def test_without_a_half_life_nothing_fades() -> None:
    landmark = Landmark()
    assert (landmark.move(NOW), landmark.scale(0), landmark.left(2**42)) == (1.0, 1.0, 1.0)
    assert landmark.left_since(np.array([[0]]), np.array([[NOW]])).tolist() == [[1.0]]
