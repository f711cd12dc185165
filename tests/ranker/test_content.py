"""The tower: indifferent to order and company, silent on what it does not know, right on kin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.content import TOKENS, ContentTower, Entries, fit_content
from ranker.training import seeded
from tests.ranker.shops import seldom

DIMS, KNOWN = 16, 40
TOKEN_SETS = st.lists(st.integers(1, KNOWN + 10), max_size=8, unique=True)


def entries(*told: list[int]) -> Entries:
    return Entries.of([np.array(ids, np.int32) for ids in told])


@pytest.fixture(scope="module")
def tower() -> ContentTower:
    """A tower that knows the first so many tokens."""
    with seeded(1):
        made = ContentTower(DIMS, 2)
        made.learn_tokens(entries(list(range(1, KNOWN + 1))))
    return made


@seldom
@given(told=st.lists(TOKEN_SETS, min_size=1, max_size=5), data=st.data())
def test_an_entry_is_a_set_that_reads_alike_alone_and_among_others(
    tower: ContentTower, told: list[list[int]], data: st.DataObject
) -> None:
    together = tower.vectors(entries(*told))
    for number, ids in enumerate(told):
        alone = tower.vectors(entries(data.draw(st.permutations(ids))))
        np.testing.assert_allclose(alone[0], together[number], atol=1e-5)


@seldom
@given(ids=TOKEN_SETS)
def test_a_vector_has_length_one_and_what_is_unknown_says_nothing(
    tower: ContentTower, ids: list[int]
) -> None:
    known = [token for token in ids if token <= KNOWN]
    whole, rest = tower.vectors(entries(ids, known))
    np.testing.assert_allclose(whole, rest, atol=1e-5)
    assert np.linalg.norm(whole) == pytest.approx(1.0 if known else 0.0, abs=1e-5)


def test_only_the_first_tokens_of_an_entry_are_read() -> None:
    told = Entries.of([np.arange(1, 2 * TOKENS), np.array([5])])
    assert told.starts.tolist() == [0, TOKENS, TOKENS + 1]


def test_new_tokens_leave_those_that_are_known_where_they_are(tower: ContentTower) -> None:
    other = ContentTower(DIMS, 2, tower.known)
    other.load_state_dict(tower.state_dict())
    ids = [3, 7, 30]
    before = other.vectors(entries(ids))
    other.learn_tokens(entries([900, 2, 901]))
    np.testing.assert_allclose(other.vectors(entries(ids)), before, atol=1e-6)
    assert other.vectors(entries([900])).any()


def kin(items: int, families: int) -> tuple[Entries, NDArray[np.float32]]:
    """Return items that say their family and something of their own, and where they lie."""
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.standard_normal((DIMS, DIMS)))[0][:families]
    family = np.arange(items) % families
    vectors = centres[family] + 0.1 * rng.standard_normal((items, DIMS))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    told = [np.array([100 + one, 1000 + number]) for number, one in enumerate(family)]
    return Entries.of(told), vectors.astype(np.float32)


def taught(seed: int) -> ContentTower:
    with seeded(seed):
        tower = ContentTower(DIMS, 2)
    told, vectors = kin(60, 4)
    fit_content(tower, told, vectors, np.full(60, 20), steps=120, seed=seed)
    return tower


def test_an_item_that_nobody_has_touched_lies_among_its_kin() -> None:
    _, vectors = kin(60, 4)
    new = taught(3).vectors(entries([100, 5000], [101, 5001], [102, 5002], [103, 5003]))
    nearness = new @ vectors.T
    of_family = np.stack([nearness[:, first::4].mean(axis=1) for first in range(4)], axis=1)
    assert of_family.argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_equal_seeds_teach_equal_towers() -> None:
    one, other, else_ = (taught(seed).vectors(kin(60, 4)[0]) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, else_)


def test_an_item_that_was_never_touched_or_has_no_entry_teaches_nothing() -> None:
    tower = ContentTower(DIMS, 2)
    told, vectors = kin(4, 2)
    assert fit_content(tower, told, vectors, np.array([5, 0, 0, 0]), steps=3, seed=0) == 0.0
    none = Entries.of([np.empty(0, np.int64)] * 4)
    assert fit_content(tower, none, vectors, np.full(4, 9), steps=3, seed=0) == 0.0
    assert not tower.vectors(told).any()
