"""Each component alone, against sorting by hand."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ranker.scores import SCORES
from streams.figures.components import ALONE, DESCENT, KNOWN, positions
from streams.figures.words import COMPONENTS

CANDIDATES = 6
# Few values, so that there are ties.
VALUES = arrays(np.float32, (CANDIDATES, len(SCORES)), elements=st.sampled_from((0, 1, 2, 3)))


def by_hand(values: Sequence[float], place: int) -> int:
    """Return the mean place of a candidate among all that are as good, rounded up."""
    better = sum(value > values[place] for value in values)
    as_good = sum(value == values[place] for value in values)
    return int(np.ceil(better + (as_good + 1) / 2))


@given(scores=VALUES, place=st.integers(0, CANDIDATES - 1))
def test_a_component_ranks_the_candidates_that_it_knows(
    scores: np.ndarray[tuple[int, int], np.dtype[np.float32]], place: int
) -> None:
    found = dict(zip(ALONE, positions(scores, place).tolist(), strict=True))
    for name, position in found.items():
        values = scores[:, SCORES.index(name)].tolist()
        guard = f"{name}{KNOWN}" if f"{name}{KNOWN}" in SCORES else name
        if name in DESCENT:
            guard, values = "own_position", [-value for value in values]
        said = scores[:, SCORES.index(guard)] > 0
        known = [value if ok else -np.inf for value, ok in zip(values, said, strict=True)]
        assert position == (by_hand(known, place) if said[place] else 0), name


def test_every_score_is_a_component_or_about_one() -> None:
    about = [name for name in SCORES if name.startswith("rank_") or name.endswith(KNOWN)]
    assert sorted([*ALONE, *about]) == sorted(SCORES)
    assert set(ALONE) >= DESCENT


def test_every_component_is_put_into_words() -> None:
    assert set(COMPONENTS) == set(ALONE)
