"""Orders of popularity are what sorting all items would give, and are bounded and made anew."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from features.events import Filters
from ranker.items import ItemIndex, ItemState
from ranker.limits import Limits
from streams.filters import limits_of
from streams.gateway import popular
from streams.gateway.popular import Popular

NOW = 1_767_225_600_000
DAY_MS = 86_400_000


class Thing(NamedTuple):
    popularity: float
    last_seen_days: float
    category: str
    in_stock: bool
    from_days: float  # from today on it is available


THINGS = st.lists(
    st.builds(
        Thing,
        st.floats(0.0, 100.0),
        st.floats(0.0, 30.0),
        st.sampled_from(("Mugs", "Pans", "")),
        st.booleans(),
        st.sampled_from((-1.0, 0.0, 1.0)),
    ),
    min_size=1,
    max_size=30,
)


def index_of(things: list[Thing]) -> ItemIndex:
    index = ItemIndex()
    for number, thing in enumerate(things):
        state = ItemState(
            item_id=str(number),
            popularity=(thing.popularity,) * 4,
            popularity_ts=NOW - round(thing.last_seen_days * DAY_MS),
            category=("Kitchen", thing.category) if thing.category else (),
            in_stock=thing.in_stock,
            available_from=NOW + round(thing.from_days * DAY_MS),
        )
        index.put(state)
    return index


@given(things=THINGS, wanted=st.sampled_from((None, "mugs", "kitchen", "hats")))
def test_the_order_is_that_of_sorting_all(things: list[Thing], wanted: str | None) -> None:
    found = Popular(index_of(things), lambda: NOW)
    limits = limits_of(Filters(category=wanted)) if wanted else Limits()
    order = found.order(None, limits)
    inside = [
        wanted is None or (bool(thing.category) and wanted in {"kitchen", thing.category.lower()})
        for thing in things
    ]
    shown = [
        there and thing.in_stock and thing.from_days <= 0
        for there, thing in zip(inside, things, strict=True)
    ]
    ids = [str(number) for number in range(len(things))]
    assert found.passes(order, ids, in_stock=True) == shown
    assert found.passes(order, ids, in_stock=False) == inside
    assert found.passes(order, ["new"], in_stock=False) == [False]
    assert set(order.item_ids) == {one for one, passes in zip(ids, shown, strict=True) if passes}
    now = [thing.popularity * 2**-thing.last_seen_days for thing in things]
    ranked = [now[int(one)] for one in order.item_ids]
    assert all(one >= other * (1 - 1e-4) for one, other in pairwise(ranked))
    assert found.sorted(order, [*ids, "new", *ids]) == [*order.item_ids, "new"]


def test_an_order_is_used_for_a_moment_and_few_are_kept() -> None:
    clock_s = 0.0
    index = index_of([Thing(1.0, 0.0, "Mugs", in_stock=True, from_days=0.0)])
    found = Popular(index, lambda: NOW, lambda: clock_s)
    first = found.order(None, Limits())
    index.put(ItemState(item_id="late", popularity=(9.0,) * 4, popularity_ts=NOW))
    assert found.order(None, Limits()) is first
    assert found.passes(first, ["late"], in_stock=True) == [False]  # it is no part of that order
    clock_s = popular.FRESH_S
    assert found.order(None, Limits()).item_ids == ("late", "0")
    for number in range(2 * popular.ORDERS):
        found.order(None, limits_of(Filters(category=str(number))))
    assert len(found._orders) == popular.ORDERS
