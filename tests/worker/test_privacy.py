"""Who is forgotten, or never agreed, leaves nothing in what workers keep: topics and disks."""

import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import rocksdict
from kafka.admin import ConfigResource, ConfigResourceType
from typer.testing import CliRunner

from features.events import Click, Event, Item, Kind, Purchase, Search
from features.item import decode_item
from features.privacy import marker_key
from features.profile import Profile, decode_profile
from features.signals import decode_signals
from streams import admin
from streams.cli import app
from streams.client import EventProducer
from streams.codec import decode_recommendation
from streams.demo.workers import as_environment
from streams.engine import snapshots
from streams.lists import Recommendation
from streams.settings import Settings
from tests.broker.records import put
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import behind, publish, records, wait_until_learnt, worker_of

ANN, BOB, EVE = "ann-b41c7e", "bob-5d20aa", "eve-90f3d2"
SECRET = "zanzibar lantern"
ITEMS = [Item(item_id=f"tin-{n}", title=f"Lantern tin {n}") for n in range(6)]
USERS, EVENTS_EACH = 400, 60
KILLED_AT = (
    ("headrace_forgotten_users_total", 1),
    ("headrace_item_signals_total", 500),
)
"""Counters of the workers that are killed: the first in the midst of all, the next one later."""
COMPACTED_WITHIN_S = 150
QUICKLY = {
    "segment.ms": "1000",
    "min.cleanable.dirty.ratio": "0.0001",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "1000",
    "delete.retention.ms": "0",
}


def test_a_forgotten_user_leaves_the_topics_and_the_disk_and_comes_back_as_a_stranger(
    names: Names, tmp_path: Path
) -> None:
    settings = names.create_topics(partitions=1, worker_id=names.app_id)
    topics = settings.topics
    publish(settings, ITEMS, [*visit(ANN, 0), *visit(BOB, 100)])
    with worker_of(settings, tmp_path, "first") as worker:
        wait_until_learnt(settings, worker)
    assert row_of(settings, ANN) is not None
    for word in (ANN, SECRET):  # it would be found
        assert traces(settings, word)
        for topic in (topics.user_state, topics.recommendations):
            assert any(
                word.encode() in (r.key + (r.value or b"")) for r in records(settings, topic)
            )

    with worker_of(settings, tmp_path, "second") as worker:
        done = headrace(settings, "forget", "--wait", ANN)
        assert (done.exit_code, done.stdout) == (0, f"forgotten: {ANN}\n")
        assert newest(settings, topics.user_state)[ANN.encode()] is None
        assert newest(settings, topics.recommendations)[ANN.encode()] is None
        assert headrace(settings, "state", "show", ANN).exit_code == 1
        assert headrace(settings, "state", "show", BOB).exit_code == 0
        wait_until_compacted(settings)
        wait_until_learnt(settings, worker)
    assert traces(settings, BOB)
    assert traces(settings, ANN) == traces(settings, SECRET) == []
    others = row_of(settings, BOB)

    publish(settings, [], [click(ANN, 300, "tin-5")])
    with worker_of(settings, tmp_path, "third") as worker:
        wait_until_learnt(settings, worker)
    stranger = row_of(settings, ANN)
    assert stranger is not None
    assert stranger.recent.item_ids == ("tin-5",)
    assert [activity.total for activity in stranger.activity] == [1, 0, 0]
    counted = touches(settings)
    assert counted == expected_touches(settings)

    # All events and the request once more, in whatever order: as after the worst of crashes.
    again = settings.model_copy(update={"app_id": f"{names.app_id}-again"})
    with worker_of(again, tmp_path, "again") as worker:
        wait_until_learnt(again, worker)
    assert row_of(settings, ANN) == stranger
    assert row_of(settings, BOB) == others
    assert touches(settings) == counted


def test_who_refuses_or_never_agreed_counts_for_items_alone(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics(forgotten="refuse", worker_id=names.app_id)
    publish(settings, ITEMS, [*visit(ANN, 0), *visit(BOB, 100)])
    with worker_of(settings, tmp_path, "first") as worker, EventProducer(settings) as producer:
        wait_until_learnt(settings, worker)
        producer.forget(ANN)
        producer.flush()
        worker.wait_until("headrace_forgotten_users_total", 1, within_s=60)
        worker.kill()
    with EventProducer(settings) as producer:
        producer.click(ANN, "tin-3")
        producer.click(EVE, "tin-3", consent=False)
        producer.purchase(EVE, "tin-4", consent=False)
    before = newest(settings, settings.topics.user_state)[BOB.encode()]
    asked = {ANN: None, BOB: False, EVE: False}
    with worker_of(settings, tmp_path, "second") as worker:
        wait_until_learnt(settings, worker)
        with EventProducer(settings) as producer:
            now = int(time.time() * 1000)
            for who, consent in asked.items():
                producer.search(who, SECRET, event_id=f"{who}-asks", ts=now, consent=consent)
        wait_until_learnt(settings, worker)

    rows = newest(settings, settings.topics.user_state)
    assert {key for key, row in rows.items() if row} == {marker_key(ANN), BOB.encode()}
    assert rows[BOB.encode()] == before
    assert touches(settings) == expected_touches(settings)
    shown = []
    for who in asked:  # what bob did before, with consent, makes no difference either
        (answer,) = answers(settings, f"{who}-asks")
        assert (answer.user_id, answer.surface, answer.query) == (who, "search", None)
        assert answer.items
        shown.append(answer.items)
    assert shown[0] == shown[1] == shown[2]
    triggers = {one.trigger.event_id for one in lists(settings, EVE)}
    assert triggers == {f"{EVE}-asks"}
    for record in records(settings, settings.topics.item_signals):
        assert EVE.encode() not in record.key + record.value
        if record.key in {b"tin-3", b"tin-4"}:
            for said in decode_signals(record.value).entries:
                assert (said.history, said.query, said.factors) == ((), "", b"")


def test_whatever_is_killed_and_read_first_nobody_who_was_forgotten_comes_back(
    names: Names, tmp_path: Path
) -> None:
    """Requests are sent behind all events, and read before, between and after them."""
    settings = names.create_topics(
        worker_id=names.app_id,
        repeat_ms=0,  # all click on six items within a second
    )
    users = [f"user-{n}" for n in range(USERS)]
    publish(settings, ITEMS, [])
    for half, (counter, least) in enumerate(KILLED_AT):
        # Each worker gets a crowd of its own: it has work to be killed at, however far the one
        # before it came.
        crowd = users[half * USERS // 2 : (half + 1) * USERS // 2]
        publish(
            settings,
            [],
            (
                click(user_id, number, f"tin-{(number + n) % len(ITEMS)}")
                for number in range(EVENTS_EACH)
                for n, user_id in enumerate(crowd)
            ),
        )
        with EventProducer(settings) as producer:
            for user_id in crowd[::2]:
                producer.forget(user_id)
        with worker_of(settings, tmp_path, f"killed-{least}") as worker:
            worker.wait_until(counter, least, within_s=60)
            worker.kill()
    with worker_of(settings, tmp_path, "last") as worker:
        wait_until_learnt(settings, worker)
        eventually(lambda: not behind(settings, [settings.topics.forget]), within_s=60)

    rows = newest(settings, settings.topics.user_state)
    markers = {marker_key(user_id) for user_id in users[::2]}
    kept = {user_id.encode() for user_id in users[1::2]}
    assert {key for key, row in rows.items() if row is not None} == markers | kept
    for key in kept:
        assert decode_profile(rows[key] or b"").activity[Kind.CLICK].total == EVENTS_EACH
    assert touches(settings) == expected_touches(settings)
    last = newest(settings, settings.topics.recommendations)
    assert not any(last.get(user_id.encode()) for user_id in users[::2])


def test_a_request_may_be_a_bare_key_and_a_wrong_one_is_a_dead_letter(
    names: Names, tmp_path: Path
) -> None:
    settings = names.create_topics()
    publish(settings, ITEMS, [*visit(ANN, 0), *visit(BOB, 100)])
    with worker_of(settings, tmp_path) as worker:
        wait_until_learnt(settings, worker)
        put(settings, settings.topics.forget, [(BOB, b'{"user_id":"somebody"}'), (ANN, None)])
        worker.wait_until("headrace_forgotten_users_total", 1, within_s=60)
        worker.wait_until("headrace_dead_letters_total", 1, within_s=60)
        eventually(lambda: row_of(settings, ANN) is None, within_s=60)
        assert row_of(settings, BOB) is not None
    (letter,) = records(settings, settings.topics.dead_letters)
    assert dict(letter.headers)["headrace.reason"] == b"key_mismatch"
    assert letter.key == BOB.encode()


def click(user_id: str, number: int, item_id: str) -> Click:
    return Click(
        event_id=f"{user_id}-{number}", user_id=user_id, item_id=item_id, ts=int(time.time() * 1000)
    )


def visit(user_id: str, number: int) -> list[Event]:
    """Return a search, clicks and a purchase of just now."""
    now = int(time.time() * 1000)
    asked = Search(event_id=f"{user_id}-s{number}", user_id=user_id, query=SECRET, ts=now - 10)
    if user_id != ANN:
        asked = Search(event_id=asked.event_id, user_id=user_id, query="tin", ts=now - 10)
    bought = Purchase(event_id=f"{user_id}-p", user_id=user_id, item_id="tin-2", ts=now)
    return [asked, click(user_id, number, "tin-0"), click(user_id, number + 1, "tin-1"), bought]


def headrace(settings: Settings, *words: str) -> Any:
    return CliRunner(env=as_environment(settings)).invoke(app, words)


def newest(settings: Settings, topic: str) -> dict[bytes, bytes | None]:
    return {record.key: record.value for record in records(settings, topic)}


def row_of(settings: Settings, user_id: str) -> Profile | None:
    row = newest(settings, settings.topics.user_state).get(user_id.encode())
    return None if row is None else decode_profile(row)


def touches(settings: Settings) -> dict[str, int]:
    rows = newest(settings, settings.topics.item_state)
    return {
        key.decode(): sum(decode_item(row).touches) for key, row in rows.items() if row is not None
    }


def expected_touches(settings: Settings) -> dict[str, int]:
    """Count the clicks and purchases in Kafka."""
    counts = Counter({item.item_id: 0 for item in ITEMS})
    for topic in (settings.topics.click, settings.topics.purchase):
        for record in records(settings, topic):
            counts[msgspec.msgpack.decode(record.value)["item_id"]] += 1
    return dict(counts)


def lists(settings: Settings, user_id: str) -> list[Recommendation]:
    found = records(settings, settings.topics.recommendations)
    return [
        decode_recommendation(record.value)
        for record in found
        if record.value is not None and record.key == user_id.encode()
    ]


def answers(settings: Settings, event_id: str) -> list[Recommendation]:
    """Return the lists for an event; one that was sent twice, after a crash, once."""
    everybody = [one for user_id in (ANN, BOB, EVE) for one in lists(settings, user_id)]
    found = {one.rec_id: one for one in everybody if one.trigger.event_id == event_id}
    return list(found.values())


def wait_until_compacted(settings: Settings) -> None:
    """Let Kafka compact in seconds what it would in days; somebody has to go on writing."""
    names = [settings.topics.user_state, settings.topics.recommendations]
    specs = {spec.name: spec for spec in settings.topic_specs}
    with admin.connect(settings) as client:
        client.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, name, specs[name].config() | QUICKLY)
                for name in names
            ]
        )
    numbers = count(1000)

    def gone() -> bool:
        publish(settings, [], [click(BOB, next(numbers), "tin-0")])
        found = [record for name in names for record in records(settings, name)]
        return not any(
            ANN.encode() in record.key + (record.value or b"")
            or SECRET.encode() in (record.value or b"")
            for record in found
        )

    eventually(gone, COMPACTED_WITHIN_S, every_s=1)


def traces(settings: Settings, word: str) -> list[str]:
    """Return the files of a stopped worker's tables that a word is in, once they are merged."""
    options = rocksdict.Options(raw_mode=True)
    options.set_compression_type(rocksdict.DBCompressionType.none())  # so that a word stays whole
    found = []
    for path in sorted(snapshots.tables_of(settings.data_dir).glob("*.db")):
        for _ in range(2):  # the second opening leaves out what the first has merged away
            rows = rocksdict.Rdict(str(path), options=options, column_families={"default": options})
            rows.compact_range(None, None)
            rows.close()
        found += [f.name for f in path.iterdir() if f.is_file() and word.encode() in f.read_bytes()]
    return found
