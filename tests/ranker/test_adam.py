"""Adam keeps the mean of where the weights have been lately."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranker.adam import AVERAGED_STEPS, BEGIN_SHARE, Adam
from tests.ranker.shops import seldom


def swaying(steps: int, seed: int) -> tuple[Adam, list[float]]:
    """Return what stands on noisy slopes of a bowl around 1, and how far off each step was."""
    rng = np.random.default_rng(seed)
    adam = Adam({"w": np.ones(32, np.float32)}, rate=0.05)
    off = []
    for _ in range(steps):
        slope = adam.arrays["w"] - 1 + rng.standard_normal(32).astype(np.float32)
        adam.step({"w": slope})
        off.append(float(np.abs(adam.arrays["w"] - 1).mean()))
    return adam, off


def test_before_the_first_step_the_mean_is_the_weights() -> None:
    adam = Adam({"w": np.arange(3, dtype=np.float32)}, rate=0.1)
    np.testing.assert_array_equal(adam.averages["w"], [0, 1, 2])
    adam.averages["w"][0] = 5  # it is an array of its own
    assert adam.arrays["w"][0] == 0


@given(steps=st.integers(1, BEGIN_SHARE))
def test_where_the_weights_began_is_forgotten_at_once(steps: int) -> None:
    adam = Adam({"w": np.full(1, 1000, np.float32)}, rate=0.1)
    seen = []
    for _ in range(steps):
        adam.step({"w": np.ones(1, np.float32)})
        seen.append(float(adam.arrays["w"][0]))
    assert min(seen) - 1e-3 <= adam.averages["w"][0] <= max(seen) + 1e-3


@seldom
@given(seed=st.integers(0, 999))
def test_the_mean_sways_less_than_the_weights(seed: int) -> None:
    adam, off = swaying(6 * AVERAGED_STEPS, seed)
    swayed = np.mean(off[-AVERAGED_STEPS:])  # a single step may happen to be right
    assert np.abs(adam.averages["w"] - 1).mean() < swayed / 2


def test_the_mean_follows_where_the_weights_go() -> None:
    adam = Adam({"w": np.zeros(1, np.float32)}, rate=0.01)
    for _ in range(10 * AVERAGED_STEPS):
        adam.step({"w": np.full(1, -1, np.float32)})
    behind = adam.arrays["w"][0] - adam.averages["w"][0]
    assert 0 < behind < 1.1 * AVERAGED_STEPS * 0.01
