"""The consumer of app teams on a real Kafka: which lists it gets, each once, from where."""

import time
from itertools import islice

import pytest

from streams.changelog import newest_value
from streams.client import Recommendation, RecommendationConsumer
from streams.codec import Wire
from tests.broker.records import publish_lists, put, recommendation
from tests.conftest import Names


@pytest.mark.parametrize("wire", ["msgpack", "json"])
def test_lists_from_the_beginning_each_once(names: Names, wire: Wire) -> None:
    settings = names.create_topics()
    made = [recommendation(f"u{n % 5}", n) for n in range(20)]
    publish_lists(settings, [*made, *made[:7]], wire)
    put(settings, settings.topics.recommendations, [("u1", b"not a list"), ("u1", None)])
    with RecommendationConsumer(settings, from_beginning=True, timeout_s=2) as lists:
        found = {one.rec_id: one for one in lists}
        assert found == {one.rec_id: one for one in made}
        assert [one.rec_id for one in lists] == []  # goes on from there


def test_without_a_group_now_is_when_it_was_made(names: Names) -> None:
    settings = names.create_topics()
    publish_lists(settings, [recommendation("ann", 1)])
    with RecommendationConsumer(settings, timeout_s=10) as lists:
        publish_lists(settings, [recommendation("ann", 2)])
        assert next(iter(lists)).rec_id == "rec-ann-2"


def test_polling_without_waiting_gets_lists_too(names: Names) -> None:
    settings = names.create_topics()
    with RecommendationConsumer(settings) as lists:
        assert lists.poll() == []
        publish_lists(settings, [recommendation("ann", 1)])
        deadline = time.monotonic() + 20
        found: list[Recommendation] = []
        while not found and time.monotonic() < deadline:
            found = lists.poll()
            time.sleep(0.01)
        assert [one.rec_id for one in found] == ["rec-ann-1"]


def test_lists_that_were_taken_back_are_passed_over(
    names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    settings = names.create_topics()
    publish_lists(settings, [recommendation("ann", 1)])
    put(settings, settings.topics.recommendations, [("ann", None)])
    publish_lists(settings, [recommendation("ann", 2)])
    with RecommendationConsumer(settings, from_beginning=True, timeout_s=5) as lists:
        found = [one.rec_id for one in islice(lists, 2)]
    assert found == ["rec-ann-1", "rec-ann-2"]
    assert [r.getMessage() for r in caplog.records if r.name == "streams.consumer"] == []


def test_only_the_wanted_users(names: Names) -> None:
    settings = names.create_topics()
    publish_lists(settings, [recommendation(f"u{n}") for n in range(40)])
    wanted = {"u3", "u17", "nobody"}
    for group in (None, "some"):
        with RecommendationConsumer(
            settings, users=wanted, from_beginning=True, timeout_s=5, group=group
        ) as lists:
            assert {one.user_id for one in islice(lists, 2)} == {"u3", "u17"}


def test_a_group_goes_on_where_it_stopped(names: Names) -> None:
    settings = names.create_topics()
    publish_lists(settings, [recommendation("ann", n) for n in range(4)])

    def taken(count: int) -> list[str]:
        with RecommendationConsumer(
            settings, group=names.app_id, from_beginning=True, timeout_s=20
        ) as lists:
            return [one.rec_id for one in islice(lists, count)]

    assert taken(4) == [f"rec-ann-{n}" for n in range(4)]
    publish_lists(settings, [recommendation("ann", 4)])
    assert taken(1) == ["rec-ann-4"]

    def failing() -> None:
        with RecommendationConsumer(settings, group=names.app_id, timeout_s=20) as lists:
            publish_lists(settings, [recommendation("ann", 5)])
            next(iter(lists))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert taken(1) == ["rec-ann-5"]  # what failed comes again


def test_the_newest_value_of_a_key(names: Names) -> None:
    settings = names.create_topics()
    topic = settings.topics.user_state
    put(settings, topic, [("ann", b"1"), ("bob", b"2"), ("ann", b"3"), ("cleo", b"4")])
    put(settings, topic, [("cleo", None)])
    assert newest_value(settings, topic, "ann") == b"3"
    assert newest_value(settings, topic, "cleo") is None
    assert newest_value(settings, topic, "dora") is None
