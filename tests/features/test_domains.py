"""What a domain's events weigh, and how its items cease to be popular."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.affinity import HALF_LIFE_MS
from features.decay import DAY_MS, HOUR_MS
from features.domains import ONE_SHOP, Domain, Domains
from features.events import Click, Kind, Purchase
from features.item import domain_of, learn, new_item, popular_at
from features.profile import judge, new_profile, take
from features.signals import Signals, Touched

T = 1_700_000_000_000
HALF_LIVES_MS = (HOUR_MS // 4, HOUR_MS, 6 * HOUR_MS, DAY_MS)
READ = Domain("content", {Kind.CLICK: 2.0, Kind.PURCHASE: 9.0}, HALF_LIVES_MS)
BOTH = Domains(ONE_SHOP.default, READ)
times = st.integers(T, T + 5 * DAY_MS)


def test_a_shop_weighs_events_as_it_ever_did() -> None:
    shop = ONE_SHOP.default
    assert shop.weights == {Kind.CLICK: 1.0, Kind.PURCHASE: 4.0}
    assert (shop.pull(Kind.CLICK), shop.pull(Kind.PURCHASE)) == (1.0, 2.0)
    assert shop.half_lives_ms == (HOUR_MS, DAY_MS, 7 * DAY_MS, 30 * DAY_MS)


def test_what_has_no_known_name_is_of_the_default_domain() -> None:
    assert BOTH.names == ("shop", "content")
    assert BOTH.of("content") is READ
    assert BOTH.of(None) is BOTH.of("social") is BOTH.of("") is BOTH.default
    assert domain_of(new_item()) is None


@pytest.mark.parametrize(("kind", "weight"), READ.weights.items())
def test_leanings_grow_by_the_weights_of_the_domain(kind: Kind, weight: float) -> None:
    make = Click if kind is Kind.CLICK else Purchase
    event = make(event_id="e", user_id="ann", item_id="a", ts=T, price=4.0)
    row = new_profile()
    judged = judge(row, event, 0, 0)
    after = take(row, event, 0, 0, judged, leaf="Mugs", brand="Acme", weights=READ.weights)
    expected = pytest.approx(log2(weight) + T / HALF_LIFE_MS)
    assert after.categories == {"Mugs": expected}
    assert after.brands == {"Acme": expected}
    assert list(after.price_bands.values()) == [expected]


@given(touches=st.lists(times, min_size=1, max_size=20), now=times)
def test_popularity_fades_by_the_half_lives_that_are_given(touches: list[int], now: int) -> None:
    row = new_item()
    for offset, ts in enumerate(touches):
        message = Signals(0, (Touched(offset, ts, Kind.CLICK, (), 0),))
        row = learn(row, message, half_lives_ms=READ.half_lives_ms)
    now = max(now, *touches)
    shown = popular_at(row, now, READ.half_lives_ms).popularity
    assert shown.ts == now
    for value, half_life in zip(shown.values, READ.half_lives_ms, strict=True):
        expected = sum(2.0 ** ((ts - now) / half_life) for ts in touches)
        assert value == pytest.approx(expected, rel=1e-9)
    assert popular_at(new_item(), now, READ.half_lives_ms) == new_item()
