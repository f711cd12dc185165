"""Rows that are kept packed are the rows that were stored, to the last bit."""

from collections.abc import Sequence
from itertools import islice

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.events import Event
from features.profile import Profile, encode_profile, learn, new_profile
from streams.data import ESHOP_CLOTHING, ONLINE_RETAIL
from streams.data.shops import Shop
from streams.models import new_model
from streams.packed_users import PackedUsers
from streams.replay import BATCH, Replay
from tests.features.strategies import events as any_events
from tests.features.strategies import short_or_long


@given(
    short_or_long(any_events, 40),
    st.floats(-10, 10, width=32),
    st.lists(st.floats(allow_nan=False), min_size=1, max_size=4),
    st.binary(max_size=64),
)
def test_a_row_comes_back_as_it_was_stored(
    events: Sequence[Event], bias: float, weights: Sequence[float], factors: bytes
) -> None:
    row = new_profile()
    for offset, event in enumerate(events):
        row = learn(row, event, 0, offset)
    names = {f"name {n}": weight for n, weight in enumerate(weights)}
    row = msgspec.structs.replace(row, factors=factors, bias=bias, categories=names)
    users = PackedUsers()
    users["u"] = row
    found = users["u"]
    assert found == row
    assert encode_profile(found) == encode_profile(row)  # -0.0 is 0.0, but is not stored as it


def test_users_are_a_mapping() -> None:
    users = PackedUsers()
    row = msgspec.structs.replace(new_profile(), bias=0.5)
    users.update({"b": new_profile(), "a": new_profile(), "c": new_profile()})
    users["a"] = row
    del users["c"]
    assert list(users) == ["b", "a"]
    assert len(users) == 2
    assert "a" in users
    assert "c" not in users
    assert users.get("c") is None
    assert dict(users) == {"b": new_profile(), "a": row}


@pytest.mark.parametrize("shop", [ONLINE_RETAIL, ESHOP_CLOTHING])
def test_lists_are_those_of_rows_that_were_never_packed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, plain = learnt(shop), learnt(shop, monkeypatch)
    assert packed == plain


def learnt(
    shop: Shop, monkeypatch: pytest.MonkeyPatch | None = None
) -> tuple[list[tuple[list[int], list[float]]], dict[str, Profile]]:
    """Return the lists before each of a shop's first events, and the rows after them."""
    replay = Replay(new_model(), k=10)
    if monkeypatch is not None:
        monkeypatch.setattr(replay, "users", dict[str, Profile]())
    replay.catalogue(shop.items())
    answers = replay.learn(
        islice(shop.events(), 12 * BATCH), lambda number, _, __: number > 6 * BATCH
    )
    lists = [(answer.ranking.slots.tolist(), answer.ranking.scores.tolist()) for answer in answers]
    return lists, dict(replay.users)
