"""Records that are not ours never stop a worker, are never lost, and are never counted."""

import json
from pathlib import Path

from kafka import KafkaProducer
from typer.testing import CliRunner

from streams.cli import app
from streams.client import EventProducer, RecommendationConsumer
from streams.demo.workers import as_environment
from streams.security import connection
from tests.conftest import Names
from tests.worker.running import records, wait_until_learnt, worker_of

T = 1_700_000_000_000
BAD = [
    (b"ann", b"not a map at all"),
    (b"ann", b"\xc1\xff\x00"),
    (b"ann", None),
    (b"bob", b'{"event_id":"x1","user_id":"ann","item_id":"mug","ts":1700000000000}'),
    (b"ann", b'{"event_id":"x2","user_id":"ann","item_id":"","ts":1700000000000}'),
    (b"ann", b'{"event_id":"x3","user_id":"ann","ts":1700000000000}'),
    (b"ann", b'{"event_id":"x4","user_id":"ann","item_id":"mug","ts":99999999999999}'),
    (b"ann", b"[" * 5000),
    (b"ann", b'{"event_id":"x5","user_id":"ann","item_id":"mug","ts":1700000000000,"domain":"x"}'),
]


def test_bad_records_become_dead_letters_and_good_ones_lists(names: Names, tmp_path: Path) -> None:
    settings = names.create_topics()
    raw = KafkaProducer(metrics_enabled=False, **connection(settings))
    with worker_of(settings, tmp_path) as worker, EventProducer(settings) as producer:
        producer.item("mug", title=" Red\nmug", price=4.0)
        producer.item("cup", title="Blue cup")
        for topic in settings.topics.events:
            for key, value in BAD:
                raw.send(topic, key=key, value=value)
        raw.send(settings.topics.catalog, key=b"mug", value=b"{")
        raw.send(settings.topics.item_signals, key=b"mug", value=b"noise")
        raw.flush()
        for number, item_id in enumerate(["mug", "cup", "mug", "cup"]):
            producer.click("ann", item_id, event_id=f"c{number}", ts=T + 2_000 * number)
        producer.click("ann", "cup", event_id="a double click", ts=T + 6_500)
        producer.purchase("bob", "mug", event_id="p0", price=4.0, currency="pounds", ts=T)
        producer.flush()
        wait_until_learnt(settings, worker)
        counters = worker.counters()
        with RecommendationConsumer(settings, from_beginning=True, timeout_s=5) as found:
            lists = [one for one in found if one.user_id == "ann"]
    raw.close()

    assert counters["headrace_events_total"] == 5
    assert counters["headrace_skipped_events_total"] == 1
    assert counters["headrace_mended_fields_total"] == 2  # the title and the currency
    assert counters["headrace_dead_letters_total"] == 3 * len(BAD) + 2
    assert any(one.trigger.event_id == "c3" for one in lists)
    letters = records(settings, settings.topics.dead_letters)
    assert len(letters) == 3 * len(BAD) + 2
    for letter in letters:
        headers = {name: value.decode() for name, value in letter.headers}
        assert headers["headrace.topic"] in set(settings.topics)
        assert int(headers["headrace.offset"]) >= 0
        assert headers["headrace.reason"]
        assert headers["headrace.explanation"]
        assert int(headers["headrace.time"]) > 0
    sent = {value for _, value in BAD} | {b"{", b"noise"}
    assert {letter.value for letter in letters} == sent

    told = CliRunner(env=as_environment(settings)).invoke(app, ["state", "show", "ann", "--json"])
    assert told.exit_code == 0, told.output
    portrait = json.loads(told.stdout)
    assert portrait["skipped"] == {"repeated": 0, "twin": 1, "flood": 0}
    assert portrait["last_shown"]["rec_id"] in {one.rec_id for one in lists}
    assert portrait["last_shown"]["rec_id"] == "click-c3"
    newest_first = [touch["item_id"] for touch in portrait["recent"]]
    assert newest_first == ["cup", "mug", "cup", "mug"]
