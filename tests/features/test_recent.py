"""The newest few stay, in the order of their times, whatever order they arrive in."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from features.events import Click, Event, Search
from features.profile import Query
from features.recent import inserted
from features.shown import Shown, answer_to, newer
from tests.features.strategies import START, fresh_events

searches = st.lists(
    st.builds(Query, st.sampled_from("ab"), st.just("mug"), st.integers(0, 9)), max_size=30
)


@given(searches, st.integers(1, 12))
def test_inserting_is_sorting_and_cutting(found: list[Query], most: int) -> None:
    kept: tuple[Query, ...] = ()
    for number, search in enumerate(found, start=1):
        kept = inserted(kept, search, most)
        assert kept == tuple(sorted(found[:number], key=lambda one: one.ts)[-most:])


@given(fresh_events(20), st.randoms())
def test_what_was_shown_last_answers_the_newest_event(events: list[Event], rng: Random) -> None:
    def fold(some: list[Event]) -> Shown | None:
        shown = None
        for event in some:
            shown = newer(shown, event)
        return shown

    shuffled = events.copy()
    rng.shuffle(shuffled)
    assert fold(events) == fold(shuffled)


def test_an_answer_has_the_surface_and_the_id_of_its_list() -> None:
    search = answer_to(Search(event_id="7", user_id="u", query="mug", ts=START))
    click = answer_to(Click(event_id="7", user_id="u", item_id="i", ts=START))
    assert (search.surface, search.rec_id) == ("search", "search-7")
    assert (click.surface, click.rec_id) == ("for_you", "click-7")
