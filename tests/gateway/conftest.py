"""One gateway for the tests that need no other, with topics of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams import admin
from tests.conftest import Names
from tests.gateway.running import RunningGateway

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Kafka's clients draw from `random`, in the gateway's thread, while hypothesis draws."""
    ours = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(ours)


@pytest.fixture(scope="package")
def gateway(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    names = Names(broker, tmp_path_factory.mktemp("gateway"))
    settings = names.create_topics(
        gateway_dir=names.directory / "gateway", gateway_rate=0, gateway_deadline_ms=100
    )
    with RunningGateway(settings) as running:
        yield running
    admin.delete(settings)
