"""Fixtures: a real Kafka for the whole session, and names of its own for every test."""

import os
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from streams import admin
from streams.broker import Kafka
from streams.settings import PREFIX, Settings
from streams.topics import Topics

# Examples share two busy cores with a Kafka: how long one takes says nothing about the code.
hypothesis.settings.register_profile("headrace", deadline=None)
hypothesis.settings.load_profile("headrace")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real Kafka: TEST_BROKER, else a one-node KRaft started from the pinned jars."""
    given = os.environ.get("TEST_BROKER")
    with nullcontext(given) if given else Kafka(tmp_path_factory.mktemp("kafka")) as address:
        yield address


class Names:
    """Topics, group and directory of one test alone."""

    def __init__(self, broker: str, directory: Path) -> None:
        self.broker = broker
        self.directory = directory
        self.app_id = f"test-{uuid.uuid4().hex[:12]}"
        self.topic_prefix = f"{self.app_id}."

    @property
    def topics(self) -> Topics:
        return Topics.with_prefix(self.topic_prefix)

    def settings(self, **over: Any) -> Settings:
        """Return settings for this test's corner of the broker."""
        given = {
            "broker": self.broker,
            "topic_prefix": self.topic_prefix,
            "app_id": self.app_id,
            "partitions": 4,
            "data_dir": self.directory / "state",
        }
        return Settings(**given | over)

    def create_topics(self, **over: Any) -> Settings:
        """Create every topic; return the settings that they follow."""
        settings = self.settings(**over)
        admin.create(settings)
        return settings


@pytest.fixture
def names(broker: str, tmp_path: Path) -> Iterator[Names]:
    """Names that no other test uses; its topics are deleted at the end."""
    mine = Names(broker, tmp_path)
    yield mine
    admin.delete(mine.settings())
