"""What came of lists teaches once, in whole steps, and nothing waits for ever."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.events import Click, Event, Search
from features.vector import NAMES
from ranker.items import ItemIndex, ItemState
from ranker.linear import gates
from ranker.rank import Ranked, Ranking
from ranker.reasons import NO_REASONS
from ranker.scorer import STEP_LISTS, Scorer
from streams.agents.teaching import teach
from streams.metrics import Meter
from streams.outcomes import AGE_MS, KNOWN, STEPS, Outcomes, Settled

NOW = 1_700_000_000_000
ITEMS = 6
MANY = 1000


def shop() -> ItemIndex:
    index = ItemIndex(domains={"shop": (1, 2, 3, 4), "content": (1, 2, 3, 4)})
    for number in range(ITEMS):
        domain = "content" if number == ITEMS - 1 else ""
        index.put(ItemState(item_id=f"i{number}", domain=domain))
    return index


INDEX = shop()


def made(lists: int = 1, seed: int = 0) -> Ranked:
    """Lists that show items 0 and 1 and had 2 and the last one among their candidates."""
    slots = np.tile(np.array([0, 1, 2, ITEMS - 1, -1], np.int32), (lists, 1))
    features = np.random.default_rng(seed).random((*slots.shape, len(NAMES)), np.float32)
    features[slots < 0] = 0
    shown = Ranking(slots[0, :2], np.array([0.5, 0.2], np.float32), NO_REASONS)
    lengths = np.full(lists, 3, np.int32)
    gated = gates(lengths, lengths, np.zeros(lists, np.bool_))
    shares = (slots >= 0) / (slots >= 0).sum(axis=1, keepdims=True)
    return Ranked([shown] * lists, slots, shares.astype(np.float32), features, gated, "v")


def click(number: int, user: str, item: int, ts: int = NOW, search_id: str | None = None) -> Click:
    return Click(
        event_id=f"e{number}", user_id=user, item_id=f"i{item}", ts=ts, search_id=search_id
    )


def search(number: int, user: str, ts: int = NOW) -> Search:
    return Search(event_id=f"e{number}", user_id=user, query="mug", ts=ts)


@dataclass
class Shown:
    """What the test itself remembers of a list."""

    event: Event
    waits: bool = True


def wanted(event: Event, lists: list[Shown]) -> list[Settled]:
    """Look at all lists that were ever shown: which are those that the event settles?"""
    if isinstance(event, Search) or event.item_id == f"i{ITEMS - 1}":
        return []
    settled = []
    search_id = event.search_id if isinstance(event, Click) else None
    of_user = [one for one in lists if one.event.user_id == event.user_id]
    for surface, mine in (
        ("for_you", [one for one in of_user if not isinstance(one.event, Search)]),
        ("search", [one for one in of_user if is_answer(one.event, search_id)]),
    ):
        newest = max(reversed(mine), key=lambda one: one.event.ts, default=None)
        if newest and newest.waits and 0 <= event.ts - newest.event.ts <= AGE_MS:
            newest.waits = False
            settled.append(Settled(surface, place={"i0": 1, "i1": 2}.get(event.item_id, 0)))
    return settled


def is_answer(event: Event, search_id: str | None) -> bool:
    return isinstance(event, Search) and event.event_id == search_id


STEPS_OF_TIME = st.sampled_from([0, 1, 60_000, AGE_MS // 2, AGE_MS + 1])


@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from("ab"), st.integers(-1, ITEMS - 1), STEPS_OF_TIME, st.integers(0, 4)
        ),
        max_size=25,
    )
)
def test_each_list_is_settled_once_by_what_its_user_does_next(
    acts: list[tuple[str, int, int, int]],
) -> None:
    outcomes, lists, ts = Outcomes(MANY), list[Shown](), NOW
    for number, (user, item, passed, back) in enumerate(acts):
        ts += passed
        event: Event = (
            search(number, user, ts)
            if item < 0
            else click(number, user, item, ts, f"e{number - back}")
        )
        assert outcomes.see(event, INDEX) == wanted(event, lists)
        outcomes.show(event, 0, made(), 0)
        lists.append(Shown(event))
        newest = [one for one in lists if ts - one.event.ts <= AGE_MS]
        assert len(outcomes) <= len(newest)


def test_an_event_does_not_settle_the_list_that_answers_it_nor_a_later_one() -> None:
    """As where a rebalance lets a batch be read again."""
    outcomes = Outcomes(MANY)
    outcomes.show(click(2, "ann", 0, NOW), 0, made(), 0)
    assert outcomes.see(click(2, "ann", 0, NOW), INDEX) == []
    assert outcomes.see(click(1, "ann", 1, NOW - 1), INDEX) == []
    assert outcomes.see(click(3, "ann", 2, NOW), INDEX) == [Settled("for_you", place=0)]
    assert outcomes.see(click(3, "ann", 2, NOW), INDEX) == []


def test_a_late_event_s_list_does_not_take_the_place_of_the_newest() -> None:
    outcomes = Outcomes(MANY)
    outcomes.show(click(1, "ann", 0, NOW), 1, made(), 0)
    outcomes.show(click(2, "ann", 0, NOW - 5), 0, made(), 0)
    assert outcomes.see(click(3, "ann", 1, NOW + 1), INDEX) == []  # of another domain
    told = outcomes.see(click(4, "ann", ITEMS - 1, NOW + 1), INDEX)
    assert told == [Settled("for_you", place=0)]


def test_hits_and_reciprocal_ranks_are_counted() -> None:
    outcomes = Outcomes(MANY)
    for number, item in enumerate((0, 1, 2)):  # the first of its list, the second, none
        outcomes.show(click(number, f"u{number}", item, NOW), 0, made(), 0)
    prevailing: Any = SimpleNamespace(prevails=True)
    context: Any = SimpleNamespace(
        meter=Meter(),
        outcomes=outcomes,
        index=INDEX,
        model=SimpleNamespace(scorer=prevailing),
    )
    teach(context, [click(9, f"u{n}", n, NOW + 1) for n in range(3)])
    counted = {
        name: context.meter.registry.get_sample_value(f"headrace_{name}", {"surface": "for_you"})
        for name in ("outcomes_total", "outcome_hits_total", "outcome_reciprocal_ranks_total")
    }
    assert list(counted.values()) == [3, 2, 1.5]


@given(limit=st.integers(0, 5), users=st.integers(0, 12))
def test_no_more_lists_wait_than_may_and_those_that_wait_stay(limit: int, users: int) -> None:
    outcomes = Outcomes(limit)
    for number in range(users):
        outcomes.show(click(number, f"u{number}", 0), 0, made(), 0)
    assert len(outcomes) == min(limit, users)
    settled = [outcomes.see(click(99, f"u{n}", 1), INDEX) for n in range(users)]
    assert [bool(one) for one in settled] == [n < limit for n in range(users)]
    assert len(outcomes) == 0


def test_who_is_forgotten_has_no_list_that_waits() -> None:
    outcomes = Outcomes(MANY)
    for number, user in enumerate(["ann", "bob"]):
        outcomes.show(click(number, user, 0), 0, made(), 0)
        outcomes.show(search(number + 2, user), 0, made(), 0)
    outcomes.forget({"ann"})
    assert len(outcomes) == 2
    assert outcomes.see(click(9, "ann", 1, search_id="e2"), INDEX) == []
    assert len(outcomes.see(click(9, "bob", 1, search_id="e3"), INDEX)) == 2


@given(counts=st.lists(st.integers(0, 40), max_size=8), surface=st.sampled_from(list(STEPS)))
def test_outcomes_are_taught_in_whole_steps_and_none_twice(counts: list[int], surface: str) -> None:
    outcomes, scorer, given_so_far = Outcomes(MANY), Scorer(NAMES), 0
    taught = 0
    for count in counts:
        for _ in range(count):
            outcomes.took(surface, made(), 0, 2)
        outcomes.took(surface, made(), 0, -1)  # not known
        outcomes.took(surface, made(), 0, 4)  # no candidate
        given_so_far += count
        taught += outcomes.learn(scorer, INDEX).outcomes
        assert taught == given_so_far // STEPS[surface] * STEPS[surface]
    assert scorer.steps == taught // STEPS[surface]
    outcomes.clear()
    assert outcomes.learn(scorer, INDEX).outcomes == 0


def test_what_one_batch_may_teach_is_bounded() -> None:
    outcomes = Outcomes(0)
    for _ in range(2 * KNOWN):
        outcomes.took("for_you", made(), 0, 2)
    assert outcomes.learn(Scorer(NAMES), INDEX).outcomes == KNOWN


def test_a_step_teaches_as_lists_that_were_never_apart_do() -> None:
    together, apart, outcomes = Scorer(NAMES), Scorer(NAMES), Outcomes(0)
    lists = made(STEP_LISTS, seed=1)
    loss = lists.learn(together, np.full(STEP_LISTS, 2, np.int32), INDEX)
    for position in range(STEP_LISTS):
        outcomes.took("for_you", lists, position, 2)
    lesson = outcomes.learn(apart, INDEX)
    assert lesson.outcomes == STEP_LISTS
    np.testing.assert_allclose(lesson.loss, loss * STEP_LISTS, rtol=1e-5)
    np.testing.assert_allclose(apart.linear.weights, together.linear.weights, atol=1e-6)
