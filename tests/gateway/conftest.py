"""One gateway for the tests that need no other, with topics of its own."""

from collections.abc import Iterator

import pytest

from streams import admin
from tests.conftest import Names
from tests.gateway.running import RunningGateway


@pytest.fixture(scope="session")
def gateway(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("gateway"))
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_rate=0, gateway_deadline_ms=100
    )
    with RunningGateway(settings) as running:
        yield running
    admin.delete(settings)
