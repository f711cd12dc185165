"""Lists that never were, and what was taken of them."""

from collections.abc import Sequence

import numpy as np

from features.events import Click
from ranker.rank import Ranking
from ranker.reasons import NO_REASONS
from ranker.scores import SCORES
from streams.figures.outcome import Outcome, outcome
from streams.replay import Answer

NOW = 1_700_000_000_000
ABSENT = 10_000
"""A slot that no list here shows."""


def listed(
    shares: Sequence[float], taken: int, *, k: int = 5, number: int = 1, seconds: float = 0.001
) -> Outcome:
    """Return a list over candidates 0, 1, ... of which one was taken; the last place is empty."""
    values = np.array(shares, np.float32)
    best = np.argsort(-values, kind="stable")[:k].astype(np.int32)
    answer = Answer(
        number=number,
        event=Click(event_id="e", user_id="u", item_id="i", ts=NOW),
        ranking=Ranking(best, values[best], NO_REASONS),
        slots=np.append(np.arange(len(values)), -1).astype(np.int32),
        scores=np.zeros((len(values) + 1, len(SCORES)), np.float32),
        shares=np.append(values, np.float32(0)),
        seconds=seconds,
    )
    return outcome(answer, taken)
