"""What is remembered of lists is what they were, and no more of them than may be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.vector import NAMES
from ranker.linear import gates
from ranker.memory import LISTS, Lesson, Memory
from ranker.scorer import STEP_LISTS, Scorer
from tests.ranker.shops import seldom


def lesson(first: int, count: int, seed: int) -> Lesson:
    """Return lists of up to nine candidates, each of which carries the number of its list."""
    rng = np.random.default_rng(seed)
    mask = rng.random((count, 9)) < 0.6
    target = rng.integers(0, 9, count)
    mask[np.arange(count), target] = True
    X = rng.integers(-4, 4, (count, 9, 3)).astype(np.float32) * mask[..., None]
    X[..., 2] = (first + np.arange(count))[:, None] * mask
    lengths = mask.sum(axis=1).astype(np.int32)
    return Lesson(X, mask, gates(lengths, lengths, np.zeros(count, np.bool_)), target)


@seldom
@given(seed=st.integers(0, 1_000), count=st.integers(1, 30))
def test_what_is_drawn_is_what_was_kept(seed: int, count: int) -> None:
    kept, memory = lesson(1, count, seed), Memory(seed)
    memory.keep(kept)
    drawn = memory.draw(count)
    for b in range(count):
        number = int(drawn.X[b, 0, 2]) - 1  # of the list it was
        mask = kept.mask[number]
        np.testing.assert_array_equal(drawn.X[b, drawn.mask[b]], kept.X[number, mask])
        np.testing.assert_array_equal(drawn.gated[b], kept.gated[number])
        taken = kept.X[number, kept.target[number]]
        np.testing.assert_array_equal(drawn.X[b, drawn.target[b]], taken)
        assert drawn.mask[b].sum() == mask.sum()
    assert sorted(drawn.X[:, 0, 2]) == list(range(1, count + 1))


def test_memory_is_bounded_and_new_lists_take_the_place_of_old_ones() -> None:
    memory = Memory()
    for first in range(0, 2 * LISTS, 50):  # numbers that are whole in 16 bits
        memory.keep(lesson(first, 50, first))
    assert len(memory) == LISTS
    numbers = memory.draw(LISTS).X[:, 0, 2]
    assert len(set(numbers.tolist())) == LISTS
    new = (numbers >= LISTS).mean()
    assert 0.55 < new < 0.72  # 1 - 1 / e on average: what is older is rarer, and not gone


def test_each_list_is_learnt_again_once_on_average() -> None:
    scorer, steps = Scorer(NAMES), 12
    for step in range(steps):
        one = lesson(step * STEP_LISTS, STEP_LISTS, step)
        X = np.pad(one.X, [(0, 0), (0, 0), (0, len(NAMES) - one.X.shape[2])])
        scorer.learn(X, one.mask, one.gated, one.target)
    assert scorer.steps == steps
    assert scorer.linear.adam.steps == scorer.network.adam.steps == 2 * steps
