"""What came of lists, counted item by item: beside what the ranker expected."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.expectations import DOUBT, REMEMBERED, over_expected, see_outcomes
from tests.ranker.reference import scores_of
from tests.ranker.shops import generated, random_index, random_request
from tests.ranker.spaces import SEEDS

ITEMS, CANDIDATES = 12, 5


class Lists(NamedTuple):
    """What came of B lists, as `see_outcomes` is told it."""

    slots: NDArray[np.int32]
    shares: NDArray[np.float32]
    targets: NDArray[np.int64]

    def part(self, begin: int, end: int) -> "Lists":
        return Lists(self.slots[begin:end], self.shares[begin:end], self.targets[begin:end])


def lists_of(lists: int, rng: np.random.Generator) -> Lists:
    """Return lists, some of which are padded or say nothing."""
    slots = np.array([rng.permutation(ITEMS)[:CANDIDATES] for _ in range(lists)], np.int32)
    slots = slots.reshape(lists, CANDIDATES)
    sizes = rng.integers(1, CANDIDATES + 1, lists)
    shares = rng.random(slots.shape, np.float32)
    for b, size in enumerate(sizes):
        slots[b, size:] = -1
        shares[b, size:] = 0
    shares /= shares.sum(axis=1, keepdims=True)
    return Lists(slots, shares, rng.integers(-1, sizes))


def one_by_one(told: Lists) -> tuple[list[float], list[float]]:
    taken, expected = [0.0] * ITEMS, [0.0] * ITEMS
    for slots, shares, target in zip(*told, strict=True):
        for i, (slot, share) in enumerate(zip(slots, shares.tolist(), strict=True)):
            if target < 0 or slot < 0:
                continue
            hit = float(i == target)
            left = 1 - max(hit, share) / REMEMBERED
            taken[slot] = taken[slot] * left + hit
            expected[slot] = expected[slot] * left + share
    return taken, expected


def counted(*parts: Lists) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    taken, expected = np.zeros(ITEMS, np.float32), np.zeros(ITEMS, np.float32)
    for lists in parts:
        see_outcomes(taken, expected, *lists)
    return taken, expected


@given(seed=SEEDS, lists=st.integers(0, 40))
def test_it_counts_what_counting_by_hand_does(seed: int, lists: int) -> None:
    told = lists_of(lists, np.random.default_rng(seed))
    for found, wanted in zip(counted(told), one_by_one(told), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@given(seed=SEEDS, cut=st.integers(0, 20))
def test_lists_that_are_told_later_count_as_if_they_had_been_told_at_once(
    seed: int, cut: int
) -> None:
    told = lists_of(20, np.random.default_rng(seed))
    in_parts = counted(told.part(0, cut), told.part(cut, 20))
    for found, wanted in zip(in_parts, counted(told), strict=True):
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
    assert max(taken.max(), expected.max()) <= REMEMBERED
    ratio = over_expected(taken[0], expected[0])
    assert ratio == pytest.approx(math.log(times), abs=0.35)


def test_what_is_known_of_no_outcome_says_nothing() -> None:
    assert over_expected(np.float32(0), np.float32(0)) == 0
    assert 0 < over_expected(np.float32(1), np.float32(0)) < 1 / DOUBT


@given(seed=SEEDS)
def test_a_candidate_carries_how_it_was_taken_beside_what_was_expected(seed: int) -> None:
    index, rng = random_index(40, seed), np.random.default_rng(seed)
    columns = index.columns
    columns.taken[:40], columns.expected[:40] = rng.random((2, 40), np.float32) * REMEMBERED
    for slot, values in scores_of(generated([random_request(index, rng)], index), 0).items():
        ratio = (columns.taken[slot] + DOUBT) / (columns.expected[slot] + DOUBT)
        assert values["over_expected"] == pytest.approx(math.log(ratio), abs=1e-6)
