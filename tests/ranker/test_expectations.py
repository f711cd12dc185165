"""What came of lists, counted item by item: beside what the ranker expected."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.expectations import DOUBT, REMEMBERED, over_expected, see_outcomes
from tests.ranker.spaces import SEEDS

ITEMS, CANDIDATES = 12, 5


def lists_of(
    lists: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """Return slots, shares and targets of lists, some of which are padded or say nothing."""
    slots = np.array([rng.permutation(ITEMS)[:CANDIDATES] for _ in range(lists)], np.int32).reshape(
        lists, CANDIDATES
    )
    sizes = rng.integers(1, CANDIDATES + 1, lists)
    shares = rng.random(slots.shape, np.float32)
    for b, size in enumerate(sizes):
        slots[b, size:] = -1
        shares[b, size:] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    return slots, shares, rng.integers(-1, sizes)


def one_by_one(
    slots: NDArray[np.int32], shares: NDArray[np.float32], targets: NDArray[np.int64]
) -> tuple[list[float], list[float]]:
    taken, expected = [0.0] * ITEMS, [0.0] * ITEMS
    for b, target in enumerate(targets):
        for i, slot in enumerate(slots[b]):
            if target < 0 or slot < 0:
                continue
            hit, share = float(i == target), float(shares[b, i])
            left = 1 - max(hit, share) / REMEMBERED
            taken[slot] = taken[slot] * left + hit
            expected[slot] = expected[slot] * left + share
    return taken, expected


def counted(*lists: object) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    taken, expected = np.zeros(ITEMS, np.float32), np.zeros(ITEMS, np.float32)
    see_outcomes(taken, expected, *lists)  # type: ignore[arg-type]  # as `lists_of` returns them
    return taken, expected


@given(seed=SEEDS, lists=st.integers(0, 40))
def test_it_counts_what_counting_by_hand_does_and_never_more_than_is_remembered(
    seed: int, lists: int
) -> None:
    told = lists_of(lists, np.random.default_rng(seed))
    for found, wanted in zip(counted(*told), one_by_one(*told), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
        assert (found >= 0).all()
        assert (found <= REMEMBERED).all()


@given(seed=SEEDS, cut=st.integers(0, 20))
def test_lists_that_are_told_later_count_as_if_they_had_been_told_at_once(
    seed: int, cut: int
) -> None:
    told = lists_of(20, np.random.default_rng(seed))
    taken, expected = counted(*(part[:cut] for part in told))
    see_outcomes(taken, expected, *(part[cut:] for part in told))
    for found, wanted in zip((taken, expected), counted(*told), strict=True):
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("times", [0.5, 1, 3])
def test_the_ratio_tells_how_many_times_as_often_as_expected_an_item_is_taken(
    times: float,
) -> None:
    rng, chance = np.random.default_rng(0), 0.2
    taken, expected = np.zeros(2, np.float32), np.zeros(2, np.float32)
    lists = 20_000
    slots = np.tile(np.array([0, 1], np.int32), (lists, 1))
    shares = np.tile(np.array([chance, 1 - chance], np.float32), (lists, 1))
    see_outcomes(taken, expected, slots, shares, (rng.random(lists) > chance * times).astype(int))
    ratio = over_expected(taken[0], expected[0])
    assert ratio == pytest.approx(math.log(times), abs=0.35)


def test_what_is_known_of_no_outcome_says_nothing() -> None:
    assert over_expected(np.float32(0), np.float32(0)) == 0
    assert 0 < over_expected(np.float32(1), np.float32(0)) < 1 / DOUBT
