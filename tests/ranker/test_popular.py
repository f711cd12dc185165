"""The most popular items of a domain are those of the index as it is, however often it is asked."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ranker.columns import HALF_LIVES_MS, HIDDEN
from ranker.items import ItemIndex, ItemState
from ranker.popular import POPULAR
from tests.ranker.shops import name, seldom

DOMAINS = {"shop": HALF_LIVES_MS, "content": HALF_LIVES_MS}
states = st.builds(
    lambda number, popularity, active, domain: ItemState(
        item_id=name(number),
        popularity=(*(popularity,) * 3, 100.0 - popularity),
        active=active,
        domain=domain,
    ),
    st.integers(0, 5),
    st.floats(0, 100, width=32),
    st.booleans(),
    st.sampled_from(list(DOMAINS)),
)


def sorted_anew(index: ItemIndex, domain: int, half_life: int) -> list[int]:
    rows = index.columns
    keys = rows.popular_key[:, half_life]
    there = [
        slot
        for slot in range(len(index))
        if rows.status[slot] != HIDDEN and rows.domain[slot] == domain and keys[slot] > -np.inf
    ]
    return sorted(there, key=lambda slot: -keys[slot])


@seldom
@given(st.lists(states, min_size=20, max_size=40))
def test_the_most_popular_are_those_of_now(puts: list[ItemState]) -> None:
    index = ItemIndex(neighbours=1, domains=DOMAINS)
    for state in puts:
        index.put(state)
        for domain in range(len(DOMAINS)):
            for _ in range(2):
                popular = index.popular(len(index), domain)
                assert popular.shape == (len(HALF_LIVES_MS), POPULAR)
                for half_life, found in enumerate(popular):
                    assert found[found >= 0].tolist() == sorted_anew(index, domain, half_life)
