"""Whatever the OpenAPI document allows, and much that it does not, is answered as it says."""

import re
from itertools import product
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.gateway.running import RunningGateway

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

OPERATIONS = 14


def test_the_document_is_kept(gateway: RunningGateway) -> None:
    schema = schemathesis.openapi.from_url(f"{gateway.client.base_url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) == OPERATIONS
    for operation, mode in product(operations, GenerationMode):
        if mode is GenerationMode.NEGATIVE and not operation.path.startswith("/v1/"):
            continue  # it takes nothing that could be wrong

        @hypothesis.settings(
            max_examples=2 if "explain" in operation.path else 15,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def holds(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(checks=CHECKS)

        holds()


def test_the_page_to_try_it_out_needs_no_other_host(gateway: RunningGateway) -> None:
    page = gateway.client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assets = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(assets) == 3, "script, style and icon"
    for asset in assets:
        assert asset.startswith("/")
        assert gateway.client.get(asset).status_code == 200
