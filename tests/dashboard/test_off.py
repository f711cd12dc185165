"""A gateway without the dashboard has nothing of it: no route, no module, nothing that runs."""

import os

import pytest

from tests.support import run_python

CODE = """
import asyncio, sys
from streams.gateway.app import build
from streams.gateway.parts import Parts
from streams.settings import Settings

async def main():
    parts = Parts(Settings())
    paths = {getattr(route, "path", "") for route in build(parts).routes}
    print(any("dashboard" in path for path in paths), len(parts.beside))
    print(any(name.startswith("streams.dashboard") for name in sys.modules))

asyncio.run(main())
"""


@pytest.mark.parametrize(("on", "told"), [("false", "False 0 False"), ("true", "True 1 True")])
def test_only_where_it_is_wanted_it_is_there(on: str, told: str) -> None:
    environment = os.environ | {"HEADRACE_GATEWAY_DASHBOARD": on}
    assert run_python(CODE, environment, 60).split() == told.split()
