"""docs/metrics.md lists every metric that a worker or a gateway serves, and none else."""

from pathlib import Path

from prometheus_client import CollectorRegistry

from streams.gateway.meter import GatewayMeter
from streams.metrics import Meter

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def rows(registry: CollectorRegistry) -> list[str]:
    """A table's line for each metric, in the order of the code."""
    collectors = list(registry._collector_to_names)
    return [
        f"| `{family.name}{'_total' if family.type == 'counter' else ''}` | {family.type} "
        f"| {', '.join(getattr(collector, '_labelnames', ())) or 'none'} | {family.documentation} |"
        for collector in collectors
        for family in collector.collect()
    ]


def test_the_page_has_the_metrics_of_the_code() -> None:
    found = [line for line in PAGE.read_text().splitlines() if line.startswith("| `headrace_")]
    expected = rows(Meter().registry) + rows(GatewayMeter().registry)
    assert found == expected, "put this into docs/metrics.md:\n" + "\n".join(expected)
    assert len(expected) > 10
