"""A worker lives behind a password: every one of its clients gets it."""

from pathlib import Path

from features.events import Click, Item
from streams import admin
from streams.broker import Kafka, Security
from streams.settings import Settings
from tests.worker.running import publish, table, wait_until_learnt, worker_of

NOW = 1_700_000_000_000


def test_a_worker_learns_from_a_kafka_that_asks_for_a_password(tmp_path: Path) -> None:
    kafka = Kafka(tmp_path / "kafka", security=Security(users={"shop": "s3cret"}))
    with kafka:
        settings = Settings(
            broker=kafka.secure_address,
            partitions=2,
            data_dir=tmp_path / "state",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_username="shop",
            sasl_password="s3cret",
        )
        admin.create(settings)
        clicks = [
            Click(event_id=f"c{n}", user_id=f"u{n % 3}", item_id=f"i{n % 2}", ts=NOW + 1000 * n)
            for n in range(12)
        ]
        publish(settings, [Item(item_id="i0"), Item(item_id="i1")], clicks)
        with worker_of(settings, tmp_path) as worker:
            wait_until_learnt(settings, worker)
            assert worker.counters()["headrace_events_total"] == len(clicks)
        assert table(settings, settings.topics.user_state).keys() == {"u0", "u1", "u2"}
        assert table(settings, settings.topics.item_state).keys() == {"i0", "i1"}
