"""Scores that are chances are found to be chances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.figures.calibration import EDGES, Calibration

LISTS = 8_000


def calibrated(seed: int, sharpness: float) -> Calibration:
    """Take from each list by chances p, but say p ** sharpness, shares again."""
    random = np.random.default_rng(seed)
    calibration = Calibration()
    for shares in random.dirichlet(np.full(8, 0.5), LISTS):
        told = np.array(shares**sharpness, np.float32)
        taken = int(random.choice(8, p=shares))
        calibration.add(told / told.sum(), taken + 1)
    return calibration


def test_a_calibrated_source_is_near_0_and_one_too_sure_of_itself_is_not() -> None:
    assert calibrated(1, sharpness=1.0).error < 0.01
    assert calibrated(1, sharpness=3.0).error > 0.05


@given(
    lists=st.lists(
        st.lists(st.floats(0, 1, width=32), min_size=1, max_size=6).flatmap(
            lambda scores: st.tuples(st.just(scores), st.integers(0, len(scores)))
        ),
        max_size=20,
    )
)
def test_every_shown_item_is_in_the_bin_of_its_score(lists: list[tuple[list[float], int]]) -> None:
    calibration = Calibration()
    for scores, position in lists:
        calibration.add(np.array(scores, np.float32), position)
    bins = calibration.bins()
    assert sum(one.shown for one in bins) == sum(len(scores) for scores, _ in lists)
    taken = sum(round(one.taken * one.shown) for one in bins)
    assert taken == sum(position > 0 for _, position in lists)
    assert 0 <= calibration.error <= 1
    for one in bins:
        assert one.least - 1e-5 <= one.predicted <= one.most + 1e-5
        assert EDGES[EDGES.index(one.least) + 1] == one.most
