"""The business without Kafka: replays, partial deliveries and crashes change nothing."""

from collections.abc import Sequence
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from features.affinity import shares
from features.events import Click, Event, Filters, Item, Purchase, Search
from features.guard import Lateness, Rules, Verdict
from features.item import ItemRow, catalogued, new_item
from features.levels import CategoryLevels
from features.profile import Profile, new_profile
from features.signals import Signals
from ranker.items import ItemIndex
from streams import steps
from streams.broadcast import show_items
from streams.codec import Recommendation
from streams.data import ONLINE_RETAIL
from streams.models import new_model
from streams.recommend import Asked, recommendations

SOURCE = 3
FACTORS = 16
MANY = 10_000
EVENTS = list(islice(ONLINE_RETAIL.events(), 300))
NOW = 1_700_000_000_000


class World:
    """Users, items and what is on its way between them, as a log would keep it."""

    def __init__(self) -> None:
        self.users: dict[str, Profile] = {}
        self.items: dict[str, ItemRow] = {}
        self.index = ItemIndex()

    def users_learn(self, events: Sequence[Event], first_offset: int) -> steps.UserOutcome:
        offsets = range(first_offset, first_offset + len(events))
        return steps.learn_users(self.users, events, SOURCE, offsets, self.index)

    def items_learn(self, outcome: steps.UserOutcome, only: set[str] | None = None) -> None:
        messages = [
            (item_id, Signals(SOURCE, tuple(entries)))
            for item_id, entries in outcome.signals.items()
            if only is None or item_id in only
        ]
        self.items |= steps.learn_items(self.items, messages, MANY, FACTORS, (0, 0))

    def state(self) -> tuple[dict[str, Profile], dict[str, ItemRow]]:
        """Return rows without their factors, which are learnt asynchronously."""
        return (
            {k: structs.replace(v, factors=b"", bias=0.0) for k, v in self.users.items()},
            {k: structs.replace(v, factors=b"", bias=0.0) for k, v in self.items.items()},
        )


def undisturbed(events: Sequence[Event]) -> World:
    world = World()
    outcome = world.users_learn(events, 0)
    world.items_learn(outcome)
    world.users |= outcome.rows
    return world


@given(
    cuts=st.lists(st.integers(1, len(EVENTS) - 1), max_size=5, unique=True),
    data=st.data(),
)
def test_a_crash_between_any_two_writes_leaves_the_same_state(
    cuts: list[int], data: st.DataObject
) -> None:
    """Each batch first dies after some signals and some rows got through, then is replayed."""
    expected = undisturbed(EVENTS).state()
    world = World()
    start = 0
    for end in [*sorted(cuts), len(EVENTS)]:
        batch = EVENTS[start:end]
        crashed = world.users_learn(batch, start)
        names = st.sets(st.sampled_from(sorted(crashed.signals)))
        delivered = data.draw(names, "signals delivered before the crash")
        world.items_learn(crashed, only=delivered)
        if delivered == set(crashed.signals):  # rows are written only after all signals
            kept = data.draw(st.sets(st.sampled_from(sorted(crashed.rows))), "rows kept")
            world.users |= {user_id: crashed.rows[user_id] for user_id in kept}
        replayed = world.users_learn(batch, start)
        world.items_learn(replayed)
        world.users |= replayed.rows
        start = end
    assert world.state() == expected


def test_a_replayed_batch_says_and_changes_nothing() -> None:
    world = undisturbed(EVENTS)
    before = world.state()
    again = world.users_learn(EVENTS, 0)
    assert again.signals == {}
    assert again.fresh == []
    world.users |= again.rows
    assert world.state() == before


def test_an_event_sent_twice_counts_once() -> None:
    events = [EVENTS[0], EVENTS[0], EVENTS[1]]
    assert undisturbed(events).users_learn([EVENTS[0]], 9).fresh == []
    once, twice = undisturbed(events[1:]).state()[1], undisturbed(events).state()[1]
    assert {k: v.touches for k, v in once.items()} == {k: v.touches for k, v in twice.items()}


def test_the_hook_sees_each_user_before_the_event() -> None:
    seen: list[tuple[int, int]] = []
    world = World()
    events = [click("e1", "a"), click("e2", "b"), click("e2", "b"), click("e3", "c")]
    steps.learn_users(
        world.users,
        events,
        SOURCE,
        range(len(events)),
        world.index,
        before=lambda row, at, uncounted: seen.append((at, len(row.recent) - uncounted)),
    )
    assert seen == [(0, 0), (1, 0), (3, 0)]


def test_users_and_items_get_factors_once_both_are_known() -> None:
    world = World()
    for number in range(3):
        outcome = world.users_learn([click(f"e{number}", "a")], number)
        world.items_learn(outcome)
        world.users |= outcome.rows
        show_items(world.index, CategoryLevels(), list(world.items.items()))
    assert len(world.users["ann"].factors) == 4 * FACTORS
    assert len(world.items["a"].factors) == 4 * FACTORS


def test_a_search_finds_titles_and_is_answered_with_reasons() -> None:
    index = shop("Red enamel mug", "Blue enamel mug", "Garden chair")
    asked = Search(event_id="s1", user_id="ann", query="red MUG", ts=NOW)
    (answer,) = answers(index, asked, new_profile())
    assert answer.surface == "search"
    assert answer.query == "red MUG"
    assert [item.item_id for item in answer.items][:2] == ["i0", "i1"]
    assert [item.rank for item in answer.items] == list(range(1, len(answer.items) + 1))
    assert any(reason.kind == "title" for reason in answer.items[0].reasons)


def test_given_candidates_are_all_that_is_ranked() -> None:
    index = shop("Red mug", "Blue mug", "Garden chair")
    asked = Search(event_id="s1", user_id="ann", query="mug", ts=NOW, candidates=("i2", "nope"))
    (answer,) = answers(index, asked, new_profile())
    assert [item.item_id for item in answer.items] == ["i2"]


MUGS = (
    Item(item_id="i0", title="Red mug", category=("Kitchen", "Mugs"), brand="Acme", price=5.0),
    Item(item_id="i1", title="Blue mug", category=("Kitchen", "Mugs"), brand="Zenith", price=0.1),
    Item(item_id="i2", title="Garden mug", category=("Garden",), brand="Acme", price=8.0),
    Item(item_id="i3", title="Mug"),
)


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        (Filters(), {"i0", "i1", "i2", "i3"}),
        (Filters(category="mugs"), {"i0", "i1"}),
        (Filters(category=(" MUGS ", "garden")), {"i0", "i1", "i2"}),
        (Filters(category="Mug"), set()),
        (Filters(brand="acme"), {"i0", "i2"}),
        (Filters(brand=("acme", "zenith"), category="kitchen"), {"i0", "i1"}),
        (Filters(price_min=5), {"i0", "i2"}),
        (Filters(price_max=0.1), {"i1"}),
        (Filters(price_min=0, price_max=5), {"i0", "i1"}),
        (Filters(exclude=("i0", "unknown")), {"i1", "i2", "i3"}),
        (Filters(price_min=1, exclude=("i0",)), {"i2"}),
    ],
)
@pytest.mark.parametrize("candidates", [None, ("i3", "i2", "i1", "i0")])
def test_a_list_shows_only_what_passes_the_filters(
    filters: Filters, shown: set[str], candidates: tuple[str, ...] | None
) -> None:
    index = ItemIndex()
    for number, entry in enumerate(MUGS):
        index.put(steps.item_state(entry.item_id, catalogued(new_item(), entry, number)))
    asked = Search(
        event_id="s1", user_id="ann", query="mug", ts=NOW, filters=filters, candidates=candidates
    )
    (answer,) = answers(index, asked, new_profile())
    assert {item.item_id for item in answer.items} == shown


def test_what_was_bought_can_be_left_out() -> None:
    index = shop("Red mug", "Blue mug")
    events: list[Event] = [
        Purchase(event_id="p1", user_id="ann", item_id="i0", ts=NOW),
        Click(event_id="c1", user_id="ann", item_id="i1", ts=NOW),
    ]
    row = undisturbed(events).users["ann"]
    assert steps.bought(row) == {"i0"}
    request = steps.request(row, events[1], index, 10, 2, hidden=steps.bought(row))
    (answer,) = recommendations([Asked(events[1], request)], index, new_model(), NOW)
    assert [item.item_id for item in answer.items] == ["i1"]


@pytest.mark.parametrize(
    "gone",
    [
        Item(item_id="i0", title="Red mug", in_stock=False),
        Item(item_id="i0", title="Red mug", available_from=NOW + 1),
        Item(item_id="i0", title="Red mug", available_to=NOW),
        None,
    ],
)
def test_what_cannot_be_bought_is_not_shown(gone: Item | None) -> None:
    index = shop("Red mug", "Red cup")
    index.put(steps.item_state("i0", catalogued(new_item(), gone, 5)))
    asked = Search(event_id="s1", user_id="ann", query="red", ts=NOW)
    (answer,) = answers(index, asked, new_profile())
    assert [item.item_id for item in answer.items] == ["i1"]


def test_a_stranger_in_an_empty_shop_gets_an_empty_list() -> None:
    event = Purchase(event_id="p1", user_id="ann", item_id="a", ts=NOW)
    (answer,) = answers(ItemIndex(), event, new_profile())
    assert answer.items == ()
    assert answer.rec_id == "purchase-p1"
    assert answer.model_version == "generators"


def click(event_id: str, item_id: str) -> Click:
    return Click(event_id=event_id, user_id="ann", item_id=item_id, ts=NOW)


def shop(*titles: str) -> ItemIndex:
    index = ItemIndex()
    for number, title in enumerate(titles):
        entry = Item(item_id=f"i{number}", title=title)
        index.put(steps.item_state(entry.item_id, catalogued(new_item(), entry, number)))
    return index


def answers(index: ItemIndex, event: Event, row: Profile) -> list[Recommendation]:
    request = steps.request(row, event, index, 10, 0)
    return recommendations([Asked(event, request)], index, new_model(), NOW)


def test_who_comes_back_after_the_limit_starts_anew_and_a_replay_is_still_known() -> None:
    ttl_ms, index = 1_000, ItemIndex()
    times = [NOW, NOW + ttl_ms, NOW + 2 * ttl_ms + 1, NOW + 2 * ttl_ms]  # the last one is late
    events = [
        Click(event_id=str(n), user_id="u", item_id=f"i{n}", ts=ts) for n, ts in enumerate(times)
    ]
    rows: dict[str, Profile] = {}
    for offset, event in enumerate(events):
        outcome = steps.learn_users(rows, [event], SOURCE, [offset], index, ttl_ms=ttl_ms)
        rows |= outcome.rows
    assert [touch.item_id for touch in rows["u"].recent] == ["i3", "i2"]
    again = steps.learn_users(rows, events, SOURCE, range(4), index, ttl_ms=ttl_ms)
    elsewhere = steps.learn_users(rows, events, SOURCE + 1, range(4), index, ttl_ms=ttl_ms)
    assert (again.fresh, again.rows, elsewhere.fresh) == ([], rows, [])  # by offset, and by id
    kept = steps.learn_users({}, events, SOURCE, range(4), index)
    assert len(kept.rows["u"].recent) == 4


def test_what_does_not_count_says_nothing_and_is_counted_by_reason() -> None:
    rules = Rules(repeat_ms=1000, per_5_minutes=5)
    events: list[Event] = [
        Click(event_id="a", user_id="u", item_id="i", ts=NOW),
        Click(event_id="a", user_id="u", item_id="i", ts=NOW),
        Click(event_id="b", user_id="u", item_id="i", ts=NOW + 1000),
        *(
            Click(event_id=f"c{n}", user_id="u", item_id=f"i{n}", ts=NOW + 2000 + n)
            for n in range(10)
        ),
    ]
    assert NOW // 300_000 == (NOW + 3000) // 300_000, "one bucket of 5 minutes"
    outcome = steps.learn_users({}, events, SOURCE, range(13), ItemIndex(), rules=rules)
    assert outcome.skipped == {Verdict.REPEATED: 1, Verdict.TWIN: 1, Verdict.FLOOD: 6}
    assert outcome.fresh == [0, 3, 4, 5, 6]
    assert set(outcome.signals) == {"i", "i0", "i1", "i2", "i3"}
    assert outcome.touches["u"] == 5
    assert outcome.rows["u"].skipped == (1, 1, 6)
    again = steps.learn_users(outcome.rows, events, SOURCE, range(13), ItemIndex(), rules=rules)
    assert again.skipped == {Verdict.REPLAYED: 13}
    assert again.rows == outcome.rows


@given(st.randoms(), st.sampled_from([0, 1000]), st.integers(1, 12))
def test_rules_do_not_mind_where_a_batch_ends(rng: Random, repeat_ms: int, size: int) -> None:
    rules = Rules(repeat_ms=repeat_ms, per_5_minutes=10, per_day=100)
    events = [event for event in EVENTS if rng.random() < 0.3]
    index, rows, counted = ItemIndex(), dict[str, Profile](), 0
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        offsets = range(start, start + len(batch))
        outcome = steps.learn_users(rows, batch, SOURCE, offsets, index, rules=rules)
        rows |= outcome.rows
        counted += len(outcome.fresh)
    whole = steps.learn_users({}, events, SOURCE, range(len(events)), index, rules=rules)
    assert rows == whole.rows
    assert counted == len(whole.fresh)


def test_late_events_count_and_are_counted_by_how_late_they_are() -> None:
    events = [
        Click(event_id=str(n), user_id="u", item_id=f"i{n}", ts=NOW + ago)
        for n, ago in enumerate([0, -1000, -1001, 0, 7])
    ]
    outcome = steps.learn_users({}, events, SOURCE, range(5), ItemIndex(), late_ms=1000)
    assert len(outcome.fresh) == 5
    assert outcome.late == {Lateness.OUT_OF_ORDER: 1, Lateness.LATE: 1}


def test_users_lean_to_what_the_index_knows_of_their_items() -> None:
    index = ItemIndex()
    for number, entry in enumerate(MUGS):
        index.put(steps.item_state(entry.item_id, catalogued(new_item(), entry, number)))
    events: list[Event] = [
        click("e0", "i0"),
        click("e0", "i0"),
        Purchase(event_id="e1", user_id="ann", item_id="i2", ts=NOW, quantity=3),
        click("e2", "i3"),
        click("e3", "nobody knows"),
        Search(event_id="e4", user_id="ann", query="mug", ts=NOW),
    ]
    row = steps.learn_users({}, events, SOURCE, range(6), index).rows["ann"]
    assert shares(row.categories) == pytest.approx({"Garden": 0.8, "Mugs": 0.2})
    assert shares(row.brands) == pytest.approx({"Acme": 1.0})
    assert row.units == 3
