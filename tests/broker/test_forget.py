"""`headrace forget`: what it says and how it ends, where no worker runs and where one answers."""

import threading

import pytest
from kafka import KafkaProducer

from features.privacy import forget, marker_key
from features.profile import encode_profile, new_profile
from streams.codec import BadEvent, decode_forget
from streams.forgetting import Forgetting
from streams.partitions import partition_of
from streams.settings import Settings
from tests.broker.records import records
from tests.broker.test_client_commands import headrace
from tests.conftest import Names
from tests.support import eventually


def test_requests_are_sent_under_the_users_key(names: Names) -> None:
    settings = names.create_topics()
    done = headrace(settings, "forget", "ann", "jörg", "ann")
    assert (done.returncode, done.stdout) == (0, "asked to forget: ann\nasked to forget: jörg\n")
    assert "docs/privacy.md" in done.stderr
    found = records(settings, settings.topics.forget)
    assert sorted(decode_forget(r.key, r.value) for r in found) == ["ann", "jörg"]


def test_who_is_not_forgotten_in_time_is_named(names: Names) -> None:
    settings = names.create_topics()
    done = headrace(settings, "forget", "--wait", "--timeout", "1", "ann", "bob")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not confirmed within 1 s: ann, bob; the request is kept" in done.stderr


def test_an_id_that_nobody_has_is_a_misuse_and_nothing_is_sent(names: Names) -> None:
    settings = names.create_topics()
    done = headrace(settings, "forget", "ann", " ")
    assert done.returncode == 2
    assert "an id must not be blank" in done.stderr
    assert records(settings, settings.topics.forget) == []


def test_without_topics_the_cure_is_named(names: Names) -> None:
    done = headrace(names.settings(), "forget", "ann")
    assert done.returncode == 1
    assert "create it with: headrace topics create" in done.stderr


def test_waiting_hears_of_each_user_and_of_nothing_older(names: Names) -> None:
    settings = names.create_topics()
    carry_out(settings, "ann")
    with Forgetting(settings, ["ann", "bob"]) as forgetting:
        forgetting.ask()
        assert forgetting.wait(1.0) == ["ann", "bob"]
        carry_out(settings, "bob")
        assert forgetting.wait(1.0) == ["ann"]
        worker = threading.Thread(target=carry_out, args=(settings, "ann"))
        worker.start()
        eventually(lambda: forgetting.wait(1.0) == [], within_s=30)
        worker.join()


def test_a_bad_id_is_refused_before_anything_is_connected() -> None:
    with pytest.raises(BadEvent) as refused:
        Forgetting(Settings(broker="127.0.0.1:1"), ["x" * 129])
    assert refused.value.reason == "id_too_long"


def carry_out(settings: Settings, user_id: str) -> None:
    """Write what a worker writes, from beside its user: the key's partition is not the marker's."""

    marker = forget(new_profile(), 1, 0, 0)
    assert marker is not None
    producer = KafkaProducer(bootstrap_servers=settings.servers, metrics_enabled=False)
    try:
        producer.send(
            settings.topics.user_state,
            key=marker_key(user_id),
            value=encode_profile(marker),
            partition=partition_of(user_id, settings.partitions),
        ).get(timeout=30)
    finally:
        producer.close()
