"""The example of the engine's README runs as it is printed."""

import re
import subprocess
import sys

from tests.contract.harness import ROOT, Site, keys
from tests.support import eventually

PAGE = ROOT / "streams" / "engine" / "README.md"
OWN_NAMES = ("events", "counts", "totals")


def test_the_example_counts(corner: Site) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for name, topic in zip(
        OWN_NAMES, (corner.source, corner.changelog, corner.output), strict=True
    ):
        example = example.replace(f'"{name}")', f'"{topic}")').replace(
            f'"{name}", name', f'"{topic}", name'
        )
    corner.create()
    counted = corner.publish(keys(100, 10))
    command = [sys.executable, "-c", example, corner.broker, str(corner.directory)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as worker:
        try:
            eventually(lambda: totals(corner) == counted, 40, every_s=0.5)
        finally:
            worker.terminate()


def totals(corner: Site) -> dict[bytes, int]:
    return {record.key: int(record.value.split()[0]) for record in corner.read(corner.output)}
