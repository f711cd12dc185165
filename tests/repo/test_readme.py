"""The README's examples run as they stand, against a real broker and a real worker."""

import os
import re
import shlex
from pathlib import Path

from streams.cli import app
from streams.demo.workers import as_environment
from streams.settings import PREFIX
from tests.conftest import Names
from tests.repo.commands import parses
from tests.support import eventually, run_python
from tests.worker.running import LEARNT_WITHIN_S, gauge, wait_until_learnt, worker_of

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE_WITHIN_S = 120
MUGS = 2


def test_the_python_examples_run_and_ann_gets_lists(names: Names, tmp_path: Path) -> None:
    produce, read = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    settings = names.create_topics()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment = inherited | as_environment(settings)

    with worker_of(settings, tmp_path) as worker:
        run_python(produce, environment, EXAMPLE_WITHIN_S)
        wait_until_learnt(settings, worker)
        # These events came on the heels of their items, perhaps before the worker's index had
        # them. From here on it has: the same events again, of a shop that goes on, find both.
        eventually(lambda: gauge(worker, "headrace_index_items") == MUGS, LEARNT_WITHIN_S)
        run_python(produce, environment, EXAMPLE_WITHIN_S)
        wait_until_learnt(settings, worker)
        told = run_python(
            read.replace("timeout_s=60", "timeout_s=10"), environment, EXAMPLE_WITHIN_S
        ).splitlines()

    assert any(line.startswith("for_you ") for line in told)


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_is_one_that_headrace_understands() -> None:
    blocks = "".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL))
    lines = re.findall(r"headrace ([a-z][^#\n]*)", blocks)
    lines += re.findall(r"`headrace ([a-z][^`]*)`", README)
    assert len(lines) > 5
    for line in lines:
        parses(app, shlex.split(line.replace("FOLDER", ".")))
