"""What is counted list by list is what all lists say at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.item import NEVER
from ranker.metrics import auc
from streams.figures.outcome import Outcome
from streams.figures.segments import Before
from streams.figures.tally import Tally
from tests.figures.made import ABSENT, listed

KS = (2, 5)
STRANGER = Before(0, NEVER, 0, NEVER, searched=False)
SHARES = st.lists(st.sampled_from((0.0, 0.1, 0.2, 0.4)), min_size=1, max_size=8)
LISTS = st.lists(st.builds(listed, SHARES, st.sampled_from((0, 1, 5, ABSENT))), max_size=12)


@given(lists=LISTS)
def test_figures_are_those_of_all_lists_at_once(lists: list[Outcome]) -> None:
    tally = Tally(KS, components=False)
    for one in lists:
        tally.add(one, STRANGER)
    touches = {slot: slot for slot in range(9)}
    figures = tally.figures(touches)
    assert tally.predictions == len(lists)
    for k in KS:
        shown = [slot for one in lists for slot in one.answer.ranking.slots[:k].tolist()]
        bits = [-np.log2(touches[slot] / 36) for slot in shown if touches[slot]]
        assert figures[f"coverage@{k}"] == pytest.approx(len(set(shown)) / 9, abs=1e-5)
        assert figures[f"novelty@{k}"] == pytest.approx(np.mean(bits) if bits else 0, abs=1e-5)
        hits = [0 < one.position <= k for one in lists]
        assert figures[f"hr@{k}"] == pytest.approx(np.mean(hits) if hits else 0, abs=1e-5)
    found = [one for one in lists if one.place >= 0]
    areas = [
        auc(one.answer.shares[:-1].astype(float), np.arange(len(one.answer.slots) - 1) == one.place)
        for one in found
    ]
    assert figures["auc"] == pytest.approx(np.mean(areas) if areas else 0.5, abs=1e-5)
    assert figures["candidate_recall"] == pytest.approx(len(found) / max(1, len(lists)), abs=1e-5)


def test_memory_does_not_grow_with_the_lists() -> None:
    tally = Tally(KS, components=True)
    one = listed((0.5, 0.5), 1)
    tally.add(one, STRANGER)
    before = held(tally)
    for _ in range(500):
        tally.add(one, STRANGER)
    assert held(tally) == before


def held(tally: Tally) -> int:
    """Count all numbers in a tally."""
    seen: list[object] = [tally]
    count = 0
    while seen:
        one = seen.pop()
        if isinstance(one, np.ndarray):
            count += one.size
        elif isinstance(one, dict):
            seen += one.values()
        elif isinstance(one, list | tuple):
            seen += one
        elif hasattr(one, "__dict__"):
            seen += vars(one).values()
        else:
            count += 1
    return count
