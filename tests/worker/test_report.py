"""A report on a real installation: lists by a worker, and users who take what they are known to."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from kafka import TopicPartition

from features.events import Click, Event, Purchase
from streams import admin
from streams.clock import now_ms
from streams.codec import decode_recommendation
from streams.data import ONLINE_RETAIL
from streams.report.result import Report
from streams.settings import Settings
from tests.broker.records import limit, put
from tests.broker.test_client_commands import headrace
from tests.conftest import Names
from tests.report.made import made_for
from tests.support import eventually
from tests.worker.running import gauge, publish, records, wait_until_learnt, worker_of

USERS, ITEMS, EARLY = 24, 30, 10
WITHIN_S = 60.0


def lists(settings: Settings) -> dict[str, list[str]]:
    """Return the items of each user's newest list."""
    found = [
        decode_recommendation(record.value)
        for record in records(settings, settings.topics.recommendations)
    ]
    return {one.user_id: [item.item_id for item in one.items] for one in found}


def test_what_users_took_of_a_workers_lists_is_told_exactly(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics(repeat_ms=0)
    items = [item.item_id for item in islice(ONLINE_RETAIL.items(), ITEMS)]
    users = [f"u{number}" for number in range(USERS)]
    with worker_of(settings, tmp_path) as worker:
        publish(settings, islice(ONLINE_RETAIL.items(), ITEMS), [])
        publish(settings, [], [clicked(f"e{n}", f"early-{n}", items[n]) for n in range(EARLY)])
        wait_until_learnt(settings, worker)
        eventually(lambda: gauge(worker, "headrace_index_items") == ITEMS, WITHIN_S)
        publish(settings, [], [clicked(f"a-{user}", user, items[0]) for user in users])
        eventually(lambda: len(lists(settings)) == USERS + EARLY, WITHIN_S)
        publish(settings, [], acts_upon(lists(settings), users))
        put(settings, settings.topics.click, [("u0", b"not ours")])
        wait_until_learnt(settings, worker)
        eventually(lambda: records(settings, settings.topics.dead_letters), WITHIN_S)

    page = tmp_path / "report.html"
    check_known(told(settings, "--report", str(page)), items[0])
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")

    shown = headrace(settings, "report")
    assert "By segment" in shown.stdout, shown.stderr
    early = headrace(settings, "report", "--from", "2020-01-01", "--to", "2020-01-02")
    assert (early.returncode, early.stdout) == (1, "")
    assert "no event from 2020-01-01 00:00 to 2020-01-02 00:00, UTC" in early.stderr
    assert f"Kafka has events from {time.strftime('%Y-%m-%d', time.gmtime())}" in early.stderr


def acts_upon(shown: Mapping[str, list[str]], users: Sequence[str]) -> Iterator[Event]:
    """By turns the third of a list is clicked, the second is bought, and nothing of it is."""
    for number, user in enumerate(users):
        if number % 3 == 0:
            yield clicked(f"b-{user}", user, shown[user][2])
        elif number % 3 == 1:
            yield bought(f"b-{user}", user, shown[user][1])
        else:
            yield bought(f"b-{user}", user, "not-in-any-list")


def check_known(found: Report, most: str) -> None:
    """Check a report of what `acts_upon` did, after a click by each user on one item."""
    third, now = USERS // 3, found.now
    assert (now.clicks, now.purchases) == (EARLY + USERS + third, 2 * third)
    assert (now.users, now.judged) == (EARLY + USERS, EARLY + 2 * USERS)
    assert (now.predictions, now.out_of_lists) == (USERS, 2 * third)
    assert (now.bought, now.bought_out_of_lists) == (2 * third, third)
    assert now.lists == found.sight.lists_read == EARLY + 2 * USERS
    assert (found.sight.lists_missing, found.sight.broker_time) == (0, True)
    assert found.metrics["hr@20"] == found.metrics["recall@20"] == round(2 / 3, 5)
    assert found.metrics["mrr@20"] == round((1 / 3 + 1 / 2) / 3, 5)
    assert found.metrics["accuracy"] == 0.0
    (money,) = now.revenue
    assert (money.currency, money.amount, money.recommended) == ("EUR", 8.0 * third, 4.0 * third)
    assert found.wait.count == EARLY + 2 * USERS
    assert found.wait.p50 is not None
    assert 0 < found.wait.p50 < 1_000 * WITHIN_S
    assert found.dead_letters == {"undecodable": 1}
    assert [(one.reason, one.count) for one in found.quality.invalid] == [("undecodable", 1)]
    assert (found.top[0].item_id, bool(found.top[0].title)) == (most, True)
    assert found.before is None
    assert "u0" not in msgspec.json.encode(found).decode(), "no user is named"


def test_lists_that_kafka_deleted_are_not_made_up(names: Names) -> None:
    """With lists gone, or to be gone at any time, nothing that they could have led to is judged."""
    settings = names.create_topics(partitions=1)
    topic = settings.topics.recommendations
    first = [clicked(f"a{number}", "ann", "a") for number in range(3)]
    publish(settings, [], first)
    put(settings, topic, [("ann", msgspec.json.encode(made_for(one, "b"))) for one in first])
    limit(settings, topic, "min.compaction.lag.ms", "0")
    found = told(settings)
    assert (found.sight.touches, found.sight.judged, found.sight.lists_missing) == (3, 0, 0)
    assert (found.sight.lists_read, found.wait.count) == (3, 0)

    delete_before(settings, topic, 2)
    publish(settings, [], [clicked("b", "ann", "b")])
    found = told(settings)
    assert (found.sight.touches, found.sight.judged, found.sight.lists_read) == (4, 0, 1)
    assert (found.now.hr, found.metrics) == (None, {})
    done = headrace(settings, "report")
    assert "Figures on lists are of 0 of 4 clicks and purchases" in done.stdout


def told(settings: Settings, *arguments: str) -> Report:
    """Report on the last day."""
    done = headrace(settings, "report", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return msgspec.json.decode(done.stdout, type=Report)


def delete_before(settings: Settings, topic: str, offset: int) -> None:
    """Let Kafka delete what lies before an offset of a topic of one partition."""
    limit(settings, topic, "cleanup.policy", "delete")  # a compacted topic lets nobody do that
    with admin.connect(settings) as client:
        client.delete_records({TopicPartition(topic, 0): offset})


def clicked(event_id: str, user_id: str, item_id: str) -> Event:
    return Click(event_id=event_id, user_id=user_id, item_id=item_id, ts=now_ms())


def bought(event_id: str, user_id: str, item_id: str) -> Event:
    return Purchase(
        event_id=event_id,
        user_id=user_id,
        item_id=item_id,
        ts=now_ms(),
        quantity=2.0,
        price=2.0,
        currency="EUR",
    )
