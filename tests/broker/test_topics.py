"""`headrace topics`: creation is idempotent, and a wrong layout is refused with its cure."""

from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaConnectionError
from typer.testing import CliRunner

from features.events import Item
from streams import admin
from streams.broker.ports import free_ports
from streams.bulk import publish
from streams.commands.topics import app
from streams.settings import Settings
from tests.conftest import Names
from tests.support import eventually


def layout(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what Kafka says of each topic."""
    with admin.connect(settings) as client:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in settings.topics]
        configs = client.describe_configs(resources, config_filter="all")["topic"]
        topics = client.describe_topics(list(settings.topics))
    return {
        topic["name"]: {
            "partitions": len(topic["partitions"]),
            **{name: value["value"] for name, value in configs[topic["name"]].items()},
        }
        for topic in topics
    }


def test_every_topic_is_laid_out_as_specified_and_only_once(names: Names) -> None:
    settings = names.settings()
    assert admin.create(settings) == [spec.name for spec in settings.topic_specs]
    found = layout(settings)
    for spec in settings.topic_specs:
        wanted = {"partitions": spec.partitions, **spec.config()}
        assert {name: found[spec.name][name] for name in wanted} == wanted
    assert admin.create(settings) == []
    admin.check(settings)
    assert admin.delete(settings) == sorted(settings.topics)


def test_partitions_take_records_as_soon_as_they_are_created(
    names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3):
        settings = names.settings(topic_prefix=f"{names.topic_prefix}{number}.", partitions=24)
        admin.create(settings)
        publish(settings, [Item(item_id=f"mug-{number}") for number in range(200)])
        admin.delete(settings)
    assert [record.getMessage() for record in caplog.records if "aiokafka" in record.name] == []


def test_a_node_that_is_away_is_asked_again_until_another_answers(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = names.create_topics()
    refusals = iter([KafkaConnectionError("ECONNREFUSED")] * 5)  # the client picks it by chance
    check = admin._check

    def unlucky(*args: Any) -> None:
        for refusal in refusals:
            raise refusal
        check(*args)

    monkeypatch.setattr(admin, "_check", unlucky)
    admin.check(settings)
    assert next(refusals, None) is None


def test_what_is_missing_is_created_and_named(names: Names) -> None:
    settings = names.create_topics()
    catalog = settings.topics.catalog
    with admin.connect(settings) as client:
        client.delete_topics([catalog])
        eventually(lambda: catalog not in client.list_topics(), within_s=20)
    with pytest.raises(admin.WrongTopics) as refused:
        admin.check(settings)
    assert str(refused.value) == (
        f"{catalog}: missing, wanted 4 partition(s); run `headrace topics create`"
    )
    assert admin.create(settings) == [catalog]
    admin.check(settings)


@pytest.mark.parametrize("judge", [admin.create, admin.check])
def test_wrong_partitions_are_refused_with_the_cure(names: Names, judge: Any) -> None:
    names.create_topics(partitions=2)
    with pytest.raises(admin.WrongTopics) as refused:
        judge(names.settings(partitions=3))
    lines = str(refused.value).splitlines()
    assert len(lines) == 10  # every topic but `models`
    told = f"{names.topics.click}: has 2 partition(s), wanted 3; set HEADRACE_PARTITIONS to what"
    assert lines[0].startswith(told)


def test_a_wrong_cleanup_policy_is_refused_with_the_cure(names: Names) -> None:
    settings = names.settings(partitions=1)
    with admin.connect(settings) as client:
        client.create_topics({names.topics.user_state: {"num_partitions": 1}})
    with pytest.raises(admin.WrongTopics) as refused:
        admin.create(settings)
    assert f"{names.topics.user_state}: cleanup.policy is delete, wanted compact" in str(
        refused.value
    )
    assert "kafka-configs --alter" in str(refused.value)


def test_the_order_of_two_cleanup_policies_does_not_matter(names: Names) -> None:
    settings = names.settings(partitions=1)
    lists = settings.topics.recommendations
    configs = {"cleanup.policy": "delete,compact"}
    with admin.connect(settings) as client:
        client.create_topics({lists: {"num_partitions": 1, "configs": configs}})
    admin.create(settings)
    with admin.connect(settings) as client:
        client.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, lists, {"cleanup.policy": "delete"})]
        )
    with pytest.raises(admin.WrongTopics) as refused:
        admin.check(settings)
    assert f"{lists}: cleanup.policy is delete, wanted compact,delete" in str(refused.value)
    assert "--add-config cleanup.policy=[compact,delete]" in str(refused.value)


def test_more_copies_than_brokers_are_refused_in_kafkas_words(names: Names) -> None:
    with pytest.raises(admin.WrongTopics, match=r"Kafka refuses to create it: .*eplication"):
        admin.create(names.settings(replication=9))


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_CONNECTED_WITHIN_MS", 300)
    (port,) = free_ports(1)
    with pytest.raises(admin.BrokerUnreachable, match=f"no Kafka at 127.0.0.1:{port} by"):
        admin.check(Settings(broker=f"127.0.0.1:{port}"))


def test_commands_say_what_they_did(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_BROKER", names.broker)
    monkeypatch.setenv("HEADRACE_TOPIC_PREFIX", names.topic_prefix)
    monkeypatch.setenv("HEADRACE_PARTITIONS", "1")
    invoke = CliRunner().invoke
    assert invoke(app, ["create"]).output.endswith(
        f"11 created, 0 already there, at {names.broker}\n"
    )
    assert invoke(app, ["create"]).output == f"0 created, 11 already there, at {names.broker}\n"
    assert invoke(app, ["check"]).output == f"11 topics as they should be, at {names.broker}\n"
