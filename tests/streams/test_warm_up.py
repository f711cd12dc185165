"""After the warm-up no shopper waits for a compiler: in a process of its own, where nothing ran."""

import json
import subprocess
import sys

LISTS_AND_OUTCOMES = """
import gc, json
from numba.core.registry import CPUDispatcher
from features.events import Click, Search
from ranker.scorer import STEP_LISTS
from streams.models import new_model
from streams.outcomes import Outcomes
from streams.recommend import Asked, ranked_for, warm_up
from streams.replay import Replay
from streams.steps import request

def compiled():
    kernels = [one for one in gc.get_objects() if isinstance(one, CPUDispatcher)]
    return {(one.py_func.__qualname__, str(kind)) for one in kernels for kind in one.signatures}

model = new_model()
warm_up(model)
replay = Replay(model, k=5)
clicks = [
    Click(event_id=f"e{n}", user_id=f"u{n % 3}", item_id=f"i{n % 7}", ts=n * 1000)
    for n in range(60)
]
list(replay.learn(clicks, lambda *_: False))
before = compiled()
asked = [
    Asked(event, request(replay.users[event.user_id], event, replay.index, 5, 0))
    for click in clicks[-STEP_LISTS:]
    for event in (click, Search(event_id="s", user_id=click.user_id, query="lamp", ts=click.ts))
]
ranked = ranked_for(asked, replay.index, model)
outcomes = Outcomes(0)
for position, one in enumerate(asked):
    outcomes.took("for_you", ranked, position, int(ranked.slots[position, 0]))
lesson = outcomes.learn(model.scorer, replay.index)
print(json.dumps([lesson.outcomes, sorted(compiled() - before)]))
"""


def test_lists_and_outcomes_compile_nothing_after_the_warm_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTS_AND_OUTCOMES], capture_output=True, check=True, timeout=300
    )
    outcomes, compiled = json.loads(done.stdout)
    assert outcomes > 0
    assert compiled == []
