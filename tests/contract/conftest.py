"""Fixtures: a corner of the broker for one test, and a topic that has been compacted."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.harness import TRANSPORTS, Site, keys, site

pytest.register_assert_rewrite("tests.contract.promises")

COMPACTED = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
    "min.compaction.lag.ms": "0",
}


@pytest.fixture(params=TRANSPORTS)
def either(broker: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Give a test a corner under each transport in turn."""
    with site(broker, tmp_path, request.param) as mine:
        yield mine


@pytest.fixture
def corner(broker: str, tmp_path: Path) -> Iterator[Site]:
    with site(broker, tmp_path) as mine:
        yield mine


@pytest.fixture(scope="session", autouse=True)
def compacted(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a topic in which each key came often: made first, as brokers compact at leisure."""
    with site(broker, tmp_path_factory.mktemp("compacted")) as mine:
        mine.create_topics({mine.source: COMPACTED})
        for _ in range(3):  # a segment is compacted once it is not the last
            mine.publish(keys(400, 60))
            time.sleep(0.2)
        yield mine.source
