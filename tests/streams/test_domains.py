"""Domains through the steps: which domain a list is of, what is refused, what events weigh."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.decay import DAY_MS, HOUR_MS
from features.domains import ONE_SHOP, Domain, Domains
from features.events import Click, Event, Item, Kind, Purchase, Search
from features.item import catalogued, new_item
from features.levels import CategoryLevels
from streams import steps
from streams.codec import BadEvent, decode_event, decode_item, decode_line
from streams.data import BadData
from streams.explain import explained
from streams.item_states import item_state
from streams.lists import Recommendation
from streams.models import new_model
from streams.recommend import Asked
from streams.replay import Replay
from tests.streams.records import CLICK, ITEM, NOW, Writer, written_by
from tests.streams.world import World, told

HALF_LIVES_MS = (HOUR_MS // 4, HOUR_MS, 6 * HOUR_MS, DAY_MS)
READ = Domain("content", {Kind.CLICK: 4.0, Kind.PURCHASE: 9.0}, HALF_LIVES_MS)
SOCIAL = Domain("social")
DOMAINS = Domains(ONE_SHOP.default, READ, SOCIAL)
ENTRIES = {
    name: Item(item_id=name, title=f"Red {name}", domain=domain)
    for name, domain in (
        ("mug", None),
        ("cup", "shop"),
        ("recipe", "content"),
        ("review", "content"),
        ("cook", "social"),
        ("lost", "gone"),  # of a domain that the settings do not name any more
    )
}


def clicked(item_id: str, domain: str | None = None, number: int = 0) -> Click:
    return Click(event_id=f"c{number}", user_id="ann", item_id=item_id, ts=NOW, domain=domain)


def searched(query: str, domain: str | None = None, given: Iterable[str] | None = None) -> Search:
    candidates = None if given is None else tuple(given)
    return Search(
        event_id="s", user_id="ann", query=query, ts=NOW, domain=domain, candidates=candidates
    )


@pytest.fixture(scope="module")
def world() -> World:
    """Everybody clicked everything."""
    world = World(DOMAINS)
    for offset, (item_id, entry) in enumerate(ENTRIES.items()):
        world.items[item_id] = catalogued(new_item(), entry, offset)
    show(world)
    events: list[Event] = [
        Click(event_id=f"{user}{item_id}", user_id=user, item_id=item_id, ts=NOW - HOUR_MS + number)
        for user in ("ann", "bob")
        for number, item_id in enumerate(ENTRIES)
    ]
    outcome = world.users_learn(events, 0)
    world.users |= outcome.rows
    world.items_learn(outcome)
    show(world)
    return world


def show(world: World) -> None:
    world.index.put_many(item_state(item_id, row) for item_id, row in world.items.items())


def answer(world: World, event: Event) -> Recommendation:
    request = steps.request(world.users["ann"], event, world.index, 10, uncounted=0)
    (made,) = told([Asked(event, request)], world.index)
    return made


@pytest.mark.parametrize(
    ("event", "domain", "shown"),
    [
        (clicked("mug"), "shop", {"mug", "cup"}),
        (clicked("recipe"), "content", {"recipe", "review"}),
        (clicked("recipe", "shop"), "shop", {"mug", "cup"}),
        (clicked("mug", "social"), "social", {"cook"}),
        (clicked("never seen"), "shop", {"mug", "cup"}),
        (clicked("lost"), "shop", {"mug", "cup"}),
        (searched("red"), "shop", {"mug", "cup"}),
        (searched("red", "content"), "content", {"recipe", "review"}),
        (searched("", "content"), "content", {"recipe", "review"}),
        (searched("", "content", ENTRIES), "content", {"recipe", "review"}),
        (searched("red", "social", ENTRIES), "social", {"cook"}),
        (searched("", None, ("cook", "review")), "shop", set()),
    ],
)
def test_a_list_is_of_the_event_s_domain_else_the_item_s_else_the_first(
    world: World, event: Event, domain: str, shown: set[str]
) -> None:
    made = answer(world, event)
    assert made.domain == domain
    assert {item.item_id for item in made.items} == shown


def test_an_event_pulls_and_weighs_as_its_item_s_domain_says() -> None:
    """Each domain's click moves factors by the root of its weight."""
    moved = {}
    for domains in (Domains(ONE_SHOP.default, SOCIAL), Domains(ONE_SHOP.default, READ)):
        world, name = World(domains), domains.names[1]
        entry = Item(item_id="a", category=("Red",), domain=name)
        row = catalogued(new_item(), entry, 0)
        world.index.put(item_state("a", row)._replace(factors=np.ones(16, np.float32)))
        moved[name] = world.users_learn([clicked("a")], 0).rows["ann"].bias
    assert moved["content"] == pytest.approx(2 * moved["social"])


def test_items_learn_by_their_domain_s_half_lives() -> None:
    world = World(DOMAINS)
    for item_id in ("mug", "recipe"):
        world.items[item_id] = catalogued(new_item(), ENTRIES[item_id], 0)
    events: list[Event] = [
        Purchase(event_id=f"{n}{item_id}", user_id="ann", item_id=item_id, ts=NOW - n * DAY_MS)
        for n in range(2)
        for item_id in ("mug", "recipe")
    ]
    world.items_learn(world.users_learn(events, 0))
    assert world.items["mug"].popularity.values[1] == pytest.approx(1.5)
    assert world.items["recipe"].popularity.values[1] == pytest.approx(1 + 2**-24)


def test_an_explanation_places_an_item_in_a_list_of_its_domain(world: World) -> None:
    """For a list after a click and for a search alike."""
    ann = ("ann", world.users["ann"])
    levels = CategoryLevels()
    for query in ("", "red"):
        found = explained(
            ann,
            ("recipe", world.items["recipe"]),
            world.index,
            levels,
            new_model(),
            at=NOW,
            query=query,
        )
        assert found.listed is not None
        assert found.listed.candidates == 2  # the review is the other
        assert found.listed.place is not None
        assert found.item is not None
        assert found.item["popularity_1d"] == pytest.approx(2 * 2 ** (-1), rel=0.01)


@written_by
def test_a_domain_that_was_not_set_up_is_refused_by_name(write: Writer) -> None:
    bad = {"domain": "blog"}
    click, item = write({**CLICK, **bad}), write({**ITEM, **bad})
    for decode in (
        lambda: decode_event(Kind.CLICK, b"u", click, NOW, domains=KNOWN),
        lambda: decode_item(b"i", item, domains=KNOWN),
        lambda: decode_line(write({"type": "item", **ITEM, **bad}), domains=KNOWN),
        lambda: decode_line(write({"type": "click", **CLICK, **bad}), domains=KNOWN),
    ):
        with pytest.raises(BadEvent) as refused:
            decode()
        assert refused.value.reason == "bad_value"
        assert str(refused.value).startswith(
            "`domain` is 'blog', but here there is only shop, content: add it to HEADRACE_DOMAINS"
        )


KNOWN = ("shop", "content")


@written_by
@given(name=st.sampled_from(["content", " Content ", "CONTENT", "", "  ", None]))
def test_a_domain_s_name_is_trimmed_and_put_in_lower_case(write: Writer, name: str | None) -> None:
    expected = "content" if name and name.strip() else None
    event = decode_event(Kind.CLICK, b"u", write({**CLICK, "domain": name}), NOW, domains=KNOWN)
    assert event.domain == expected
    _, item = decode_item(b"i", write({**ITEM, "domain": name}), domains=KNOWN)
    assert item is not None
    assert item.domain == expected


def test_files_may_name_no_other_domain_either() -> None:
    replay = Replay(new_model(), k=5, domains=Domains(READ))
    replay.catalogue([ENTRIES["recipe"]])
    with pytest.raises(BadData, match="item 'cup' is of domain 'shop', not of content"):
        replay.catalogue([ENTRIES["cup"]])
    with pytest.raises(BadData, match="event 'c0' is of domain 'shop', not of content"):
        list(replay.learn([clicked("recipe", "shop")], lambda *_: True))
