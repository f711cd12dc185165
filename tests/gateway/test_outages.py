"""What Kafka does not take, or is not there to take, is said, and is over when that is."""

import asyncio
from collections import Counter, defaultdict
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from secrets import token_hex
from select import select
from typing import Any
from unittest.mock import MagicMock

import pytest

from features.events import Kind
from streams import admin
from streams.broker import Kafka
from streams.bulk import Batches, Turns
from streams.gateway import outbox, parts
from streams.settings import Settings
from tests.broker.records import limit
from tests.conftest import Names
from tests.gateway.running import RunningGateway
from tests.gateway.test_events import click, stored
from tests.support import eventually


def test_after_a_record_that_kafka_refuses_others_go_on(names: Names) -> None:
    settings = names.create_topics(gateway_dir=names.directory / "gateway", partitions=1)
    limit(settings, settings.topics.click, "max.message.bytes", "2000")
    with RunningGateway(settings) as gateway:
        assert gateway.post(click("small-1")).status_code == 200
        refused = gateway.post(click("large", context={"noise": token_hex(4000)}))
        assert refused.status_code == 503
        assert "under the same event_id" in refused.json()["detail"]
        assert gateway.post(click("small-2")).status_code == 200
        assert list(stored(gateway, Kind.CLICK)) == ["small-1", "small-2"]


def test_a_broker_that_is_away_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CONFIRMED_WITHIN_S", 0.5)
    monkeypatch.setattr(parts, "SILENT_S", 2.0)
    kafka = Kafka(tmp_path / "kafka")
    with kafka as address:
        settings = Settings(broker=address, partitions=1, gateway_dir=tmp_path / "gateway")
        admin.create(settings)
        with RunningGateway(settings) as gateway:
            assert gateway.post(click("before")).status_code == 200
            kafka.stop()
            answer = gateway.post(click("meanwhile"))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            eventually(lambda: gateway.client.get("/readyz").status_code == 503, 20)
            assert "has not answered" in gateway.client.get("/readyz").json()["detail"]
            assert gateway.client.get("/healthz").status_code == 200
            assert gateway.shown("ann")["source"] == "popular"  # lists are there all the same
            asked = {"user_id": "ann", "candidates": ["a"]}
            assert gateway.client.post("/v1/rank", json=asked).json()["source"] == "popular"
            kafka.start()
            eventually(gateway.ready, 60)
            eventually(lambda: gateway.post(click("after")).status_code == 200, 60)


def test_a_connection_outlives_a_pause(gateway: RunningGateway) -> None:
    """Servers mostly close one after 5 s, under the next request of a load balancer."""
    with closing(HTTPConnection("127.0.0.1", gateway.settings.gateway_port)) as connection:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        closed, _, _ = select([connection.sock], [], [], 6)
        assert not closed
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()


class _Queue:
    """A producer of which only the queue matters: how many wait for a partition at once."""

    def __init__(self) -> None:
        self._waiting: Counter[tuple[str, int]] = Counter()
        self.most = 0

    def create_batch(self) -> MagicMock:
        return MagicMock()

    async def send_batch(self, _: Any, topic: str, partition: int) -> asyncio.Future[None]:
        self._waiting[topic, partition] += 1
        self.most = max(self.most, *self._waiting.values())
        await asyncio.sleep(0)
        self._waiting[topic, partition] -= 1
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent


def test_those_who_share_a_producer_do_not_race_for_a_partition() -> None:
    """aiokafka counts the time of each lost race from the start: many are a timeout too soon."""
    queue = _Queue()

    async def all_at_once() -> None:
        turns: Turns = defaultdict(asyncio.Lock)
        batches = [Batches(queue, turns) for _ in range(20)]
        for number, each in enumerate(batches):
            await each.put(("events.click", number % 2), b"u", b"{}")
        await asyncio.gather(*(each.finish() for each in batches))

    asyncio.run(all_at_once())
    assert queue.most == 1
