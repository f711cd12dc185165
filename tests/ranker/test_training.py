"""Training: every event a target once, loss that falls, and the same weights from the same seed."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.attention import AttentionConfig, AttentionRetrieval
from ranker.history import MANNERS
from ranker.sequences import Told, cut
from ranker.training import Progress, Recipe, fit, seeded
from tests.ranker.histories import read
from tests.ranker.shops import seldom

CONFIG = AttentionConfig(dims=16, heads=2, history=10)
QUICK = Recipe(few_targets=64, negatives=16, learning_rate=2e-2)  # fewer negatives than items
HISTORIES = st.lists(st.lists(st.integers(1, 9), max_size=40), max_size=8)


def fresh(items: int = 0, seed: int = 0) -> AttentionRetrieval:
    with seeded(seed):
        return AttentionRetrieval(CONFIG, items)


def told(*histories: Sequence[int] | NDArray[np.int64]) -> list[Told]:
    """Return histories of rows as the model is taught them: a manner for each item."""
    rows = [np.array(history, np.int64) for history in histories]
    return [Told(one, (one * 7 % MANNERS).astype(np.int8)) for one in rows]


def walks(users: int, items: int, seed: int) -> list[Told]:
    """Users who mostly go from an item to the one after it."""
    rng = np.random.default_rng(seed)
    steps = np.where(rng.random((users, 12)) < 0.9, 1, rng.integers(0, items, (users, 12)))
    return told(*(1 + row % items for row in np.cumsum(steps, axis=1)))


def weights(model: AttentionRetrieval) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


@given(histories=HISTORIES, length=st.integers(1, 12))
def test_every_event_but_the_first_is_a_target_once_with_what_came_before_it(
    histories: list[list[int]], length: int
) -> None:
    windows = cut(told(*histories), length)
    learnt: Counter[tuple[int, int]] = Counter()
    for begin, first, stop in zip(windows.begin, windows.first, windows.stop, strict=True):
        assert 0 <= begin <= first < stop <= begin + length
        assert first == begin or first - begin >= length // 2  # half a window of context
        assert stop - first > 0
        learnt.update(
            (int(windows.events[p]), int(windows.events[p + 1])) for p in range(first, stop)
        )
    assert learnt == Counter(pair for history in histories for pair in pairwise(history))


def test_the_loss_falls_and_what_follows_is_found() -> None:
    reports: list[Progress] = []
    model = fresh()
    end = fit(model, walks(100, 40, 0), epochs=5, seed=0, recipe=QUICK, progress=reports.append)
    assert [report.epoch for report in reports] == [1, 2, 3, 4, 5]
    assert end == reports[-1]
    assert end.loss < reports[0].loss - 1
    history = torch.arange(1, 39)[:, None] + torch.arange(2)  # (38, 2): i, i + 1
    best = (read(model, history).queries @ model.vectors().T).argmax(dim=1) + 1
    assert (best == history[:, 1] + 1).float().mean() > 0.9


def test_all_items_as_negatives_learn_the_same_as_sampled_ones_do_on_average() -> None:
    histories = walks(100, 40, 3)
    exact, sampled = fresh(), fresh()
    recipe = Recipe(few_targets=64, negatives=40, learning_rate=2e-2)
    fit(exact, histories, epochs=4, seed=0, recipe=recipe)
    fit(sampled, histories, epochs=4, seed=0, recipe=QUICK)
    history = torch.arange(1, 39)[:, None] + torch.arange(2)
    found = [
        (read(m, history).queries @ m.vectors().T).log_softmax(dim=1) for m in (exact, sampled)
    ]
    likely = [scores[torch.arange(38), history[:, 1]].mean().item() for scores in found]
    assert likely[0] == pytest.approx(likely[1], abs=0.3)


def test_equal_seeds_give_equal_weights_and_others_give_others() -> None:
    made = []
    for seed in (5, 5, 6):
        model = fresh()
        torch.rand(7)  # what others draw changes nothing
        fit(model, walks(30, 40, 1), epochs=2, seed=seed, recipe=QUICK)
        made.append(weights(model))
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert not torch.equal(made[0]["items"], made[2]["items"])


def test_training_leaves_the_generator_of_others_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    fit(fresh(), walks(5, 10, 1), epochs=1, seed=1, recipe=QUICK)
    assert torch.equal(torch.rand(4), expected)


def test_new_items_join_and_old_ones_that_are_not_met_keep_their_vectors() -> None:
    model = fresh()
    fit(model, walks(30, 20, 0), epochs=2, seed=0, recipe=QUICK)
    before = weights(model)["items"]
    later = told([25, 26, 27, 25, 26, 27])
    fit(model, later, epochs=3, seed=0, recipe=Recipe(negatives=0))
    assert len(model) == 27
    assert torch.equal(model.items[:21], before)
    assert model.items[21:].abs().sum(dim=1).gt(0).all()
    assert not model.items[0].any()


def test_a_second_fit_goes_on_from_the_first() -> None:
    histories = walks(50, 40, 2)
    model, reports = fresh(), list[Progress]()
    for _ in range(2):
        fit(model, histories, epochs=3, seed=0, recipe=QUICK, progress=reports.append)
    assert reports[3].loss < reports[0].loss - 1


@pytest.mark.parametrize("max_steps", [0, 1, 7, 10_000])
def test_steps_are_bounded(max_steps: int) -> None:
    histories = walks(30, 40, 1)  # 330 targets, 6 steps an epoch
    end = fit(fresh(), histories, epochs=2, seed=0, max_steps=max_steps, recipe=QUICK)
    assert end.steps == min(max_steps, 12)


@seldom
@given(histories=HISTORIES)
def test_any_histories_leave_finite_weights_and_a_model_that_reads(
    histories: list[list[int]],
) -> None:
    model = fresh(3)
    end = fit(model, told(*histories), epochs=1, seed=0, recipe=Recipe(few_targets=10, negatives=4))
    assert (end.steps > 0) == any(len(history) > 1 for history in histories)
    assert np.isfinite(end.loss)
    assert all(value.isfinite().all() for value in weights(model).values())
    assert not model.training


def test_an_item_before_the_first_row_is_refused() -> None:
    with pytest.raises(ValueError, match="item 0"):
        fit(fresh(), told([1, 0, 2]), epochs=1, seed=0)
