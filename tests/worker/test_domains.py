"""docs/domains.md is true: one worker, three domains, and the lists that the page shows."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path

from streams.codec import decode_recommendation
from streams.demo.workers import as_environment
from streams.settings import PREFIX
from tests.conftest import Names
from tests.support import eventually, run_python
from tests.worker.running import records, wait_until_learnt, worker_of

PAGE = (Path(__file__).parents[2] / "docs" / "domains.md").read_text(encoding="utf-8")
WITHIN_S = 60.0
BLOCKS = re.findall(r"```(python|text)\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_give_the_lists_that_the_page_shows(names: Names, tmp_path: Path) -> None:
    (table,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = names.create_topics(domains=tomllib.loads(table)["domains"])
    topic = settings.topics.recommendations
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment = inherited | as_environment(settings)
    answers = 0
    with worker_of(settings, tmp_path) as worker:
        for place, (language, block) in enumerate(BLOCKS):
            if language != "python":
                continue
            shown = BLOCKS[place + 1]
            if shown[0] == "text":  # the block asks, and this is the answer
                ask = partial(tells, block, environment, shown[1], count())
                eventually(ask, WITHIN_S)  # the index may be a moment behind
                answers += 1
            else:
                run_python(block, environment, WITHIN_S)
                wait_until_learnt(settings, worker)
    assert answers == 4
    made = [decode_recommendation(found.value) for found in records(settings, topic)]
    assert {found.domain for found in made} == {"shop", "content", "social"}


def tells(
    code: str, environment: Mapping[str, str], expected: str, attempts: Iterator[int]
) -> bool:
    """Ask as somebody who has done nothing yet: what the one before did is part of a history."""
    (user,) = re.findall(r'users={("\w+)"}', code)
    return (
        run_python(code.replace(f'{user}"', f'{user}-{next(attempts)}"'), environment, WITHIN_S)
        == expected
    )
