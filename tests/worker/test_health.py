"""A worker says how it is: ready once it is whole, unhealthy while a partition stands still."""

from pathlib import Path

from kafka.admin import NewTopic

from features.events import Click
from streams import admin
from streams.partitions import partition_of
from tests.conftest import Names
from tests.support import eventually
from tests.worker.running import ask, publish, wait_until_learnt, worker_of

START = 1_700_000_000_000


def test_a_partition_that_stands_still_turns_the_worker_unhealthy_until_it_moves(
    names: Names, tmp_path: Path
) -> None:
    settings = names.create_topics(stall_s=2)
    topic = settings.topics.recommendations
    click = Click(event_id="1", user_id="ann", item_id="mug", ts=START)
    where = f"{settings.topics.click}[{partition_of('ann', settings.partitions)}]"
    with worker_of(settings, tmp_path) as worker:
        assert eventually(lambda: ask(worker, "/readyz") == (200, "ok\n"), 60)
        assert ask(worker, "/healthz") == (200, "ok\n")
        with admin.connect(settings) as client:
            client.delete_topics([topic])  # lists can go nowhere, so their events are not done
        publish(settings, [], [click])
        eventually(lambda: f"stalled: {where} has records" in ask(worker, "/healthz")[1], 40)
        assert ask(worker, "/healthz")[0] == 503
        with admin.connect(settings) as client:
            client.create_topics([NewTopic(topic, settings.partitions, 1)])
        eventually(lambda: ask(worker, "/healthz") == (200, "ok\n"), 60)
        wait_until_learnt(settings, worker)
