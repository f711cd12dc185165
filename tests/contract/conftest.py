"""Fixture: a corner of the broker for one test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.harness import Site, site


@pytest.fixture
def corner(broker: str, tmp_path: Path) -> Iterator[Site]:
    with site(broker, tmp_path) as mine:
        yield mine
