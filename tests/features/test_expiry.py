"""Which rows nobody needs any more."""

from hypothesis import given
from hypothesis import strategies as st

from features.events import Event, Item, Search
from features.item import NEVER, ItemRow, catalogued, dead, new_item
from features.item import learn as learn_item
from features.profile import idle, learn, new_profile
from features.signals import Signals, signal_of
from tests.features.strategies import START, fresh_events

TTLS = st.integers(1, 10**9)
OFFSETS = st.integers(-5, 5)


@given(fresh=fresh_events(20).filter(bool), ttl_ms=TTLS, off=OFFSETS)
def test_a_user_is_idle_once_the_newest_event_is_older_than_the_limit(
    fresh: list[Event], ttl_ms: int, off: int
) -> None:
    row = new_profile()
    for offset, event in enumerate(fresh):
        row = learn(row, event, 0, offset)
    newest = max(event.ts for event in fresh)
    assert idle(row, newest + ttl_ms + off, ttl_ms) == (off > 0)


@given(last_seen=st.just(NEVER) | st.integers(START, START + 10**9), ttl_ms=TTLS, off=OFFSETS)
def test_an_item_is_dead_when_the_catalogue_took_it_back_and_nobody_came_since(
    last_seen: int, ttl_ms: int, off: int
) -> None:
    known = ItemRow(item=Item(item_id="x"), last_seen=last_seen, catalog_offset=1)
    now = max(last_seen, START) + ttl_ms + off
    assert not dead(known, now, ttl_ms)
    assert not dead(ItemRow(last_seen=last_seen), now, ttl_ms)  # no catalogue ever named it
    taken_back = catalogued(known, None, 2)
    assert dead(taken_back, now, ttl_ms) == (off > 0 or last_seen == NEVER)
    assert not dead(catalogued(taken_back, Item(item_id="x"), 3), now, ttl_ms)


@given(fresh=fresh_events(20))
def test_what_was_true_once_stays_true_without_news(fresh: list[Event]) -> None:
    user, item = new_profile(), catalogued(new_item(), None, 0)
    for offset, event in enumerate(fresh):
        if not isinstance(event, Search):
            item = learn_item(item, Signals(0, (signal_of(user, event, offset),)))
        user = learn(user, event, 0, offset)
    times = range(START, START + 10**10, 10**9)
    for verdicts in (
        [idle(user, now, 10**9) for now in times],
        [dead(item, now, 10**9) for now in times],
    ):
        assert verdicts == sorted(verdicts)
