"""Who is in the demo's shop beside you: the real customers of just now, and shoppers who go on."""

from collections.abc import Iterator
from itertools import islice

from features.events import Event
from streams.demo.play import GENTLE_PER_S, simulated
from streams.demo.stay import Crowd
from streams.demo.story import moved, tell
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import records

NOW = 1_790_000_000_000


def test_a_story_that_is_moved_ends_now_and_is_the_same() -> None:
    story = tell(2_000)
    later = moved(story, NOW)
    by_ms = later.cut_ts - story.cut_ts
    for before, after in [
        (story.replayed, later.replayed),
        (story.taught, later.taught),
        ([one.first for one in story.returns], [one.first for one in later.returns]),
    ]:
        assert {b.ts - a.ts for a, b in zip(before, after, strict=True)} == {by_ms}
        assert [one.event_id for one in before] == [one.event_id for one in after]
    assert max(one.first.ts for one in later.returns) == NOW
    assert max(one.ts for one in later.replayed) < later.cut_ts < NOW


def test_shoppers_act_at_their_pace_until_the_shop_closes(names: Names) -> None:
    settings, failed = names.create_topics(), list[str]()
    story = tell(1_000)
    timed = list(islice(simulated(story, NOW, GENTLE_PER_S), 40))
    assert [due_s for due_s, _ in timed] == sorted(due_s for due_s, _ in timed)
    events = [event for _, event in timed[:20]]

    def shoppers() -> Iterator[tuple[float, Event]]:
        yield from ((0.0, event) for event in events)
        yield 3_600.0, timed[-1][1]  # in an hour: the shop closes before

    def seen() -> set[str]:
        topics = settings.topics.events
        return {one.value for topic in topics for one in records(settings, topic)}

    with Crowd(settings, shoppers, failed.append):
        eventually(lambda: len(seen()) == len(events), 20)
    assert failed == []


def test_the_shop_stays_open_without_them(names: Names) -> None:
    failed: list[str] = []

    def shoppers() -> Iterator[tuple[float, Event]]:
        raise ValueError("no more")

    with Crowd(names.create_topics(), shoppers, failed.append):
        eventually(lambda: failed, 20)
    assert failed == ["the simulated shoppers have left: no more"]
