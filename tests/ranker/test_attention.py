"""The attention model: causal, indifferent to padding and company, finite on nothing."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.attention import AttentionConfig, AttentionRetrieval, BadAttentionConfig
from ranker.training import seeded
from tests.ranker.histories import manners_of, padded, read
from tests.ranker.shops import seldom

ITEMS = 30
CONFIG = AttentionConfig(dims=16, heads=2, history=12)
HISTORIES = st.lists(st.integers(1, ITEMS), min_size=1, max_size=CONFIG.history)


@pytest.fixture(scope="module")
def model() -> AttentionRetrieval:
    """A model none of whose weights is zero, as after training."""
    with seeded(1):
        made = AttentionRetrieval(CONFIG, ITEMS)
        for parameter in made.refine.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        torch.nn.init.normal_(made.distance)
        torch.nn.init.normal_(made.manner)
    return made


def close(a: Tensor, b: Tensor) -> None:
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-4)


def test_an_empty_history_gives_zeros(model: AttentionRetrieval) -> None:
    queries, weights = read(model, padded([], [3, 4], width=5))
    assert not queries[0].any()
    assert not weights[0].any()
    assert queries.isfinite().all()


@seldom
@given(history=HISTORIES)
def test_a_query_is_as_long_as_the_temperature_says_and_attention_is_shared_out(
    model: AttentionRetrieval, history: list[int]
) -> None:
    queries, weights = read(model, padded(history, width=CONFIG.history))
    assert queries.norm().item() == pytest.approx(1 / CONFIG.temperature, rel=1e-4)
    assert weights.sum().item() == pytest.approx(1, rel=1e-4)
    assert not weights[0, : -len(history)].any()


@seldom
@given(history=HISTORIES, others=st.lists(HISTORIES, max_size=4))
def test_a_history_reads_alike_alone_and_among_others_whatever_the_padding(
    model: AttentionRetrieval, history: list[int], others: list[list[int]]
) -> None:
    alone = read(model, padded(history, width=len(history)))
    among = read(model, padded(history, *others, width=CONFIG.history))
    close(alone.queries[0], among.queries[0])
    close(alone.weights[0], among.weights[0, -len(history) :])


@seldom
@given(history=HISTORIES, cut=st.integers(1, CONFIG.history))
def test_every_position_reads_as_if_nothing_came_after_it(
    model: AttentionRetrieval, history: list[int], cut: int
) -> None:
    rows = padded(history, width=len(history))
    queries, weights = model.read(model.items[rows], rows > 0, manners_of(rows))
    cut = min(cut, len(history))
    before = padded(history[:cut], width=cut)
    queries_before, weights_before = model.read(model.items[before], before > 0, manners_of(before))
    close(queries[:, :cut], queries_before)
    close(weights[:, :cut, :cut], weights_before)
    assert not weights.triu(diagonal=1).any()


@seldom
@given(history=HISTORIES)
def test_one_history_read_at_all_positions_ends_with_the_query_of_the_last(
    model: AttentionRetrieval, history: list[int]
) -> None:
    rows = padded(history, width=len(history))
    vectors = F.normalize(model.items[rows], dim=-1)
    close(model.read(vectors, rows > 0, manners_of(rows))[0][:, -1], read(model, rows).queries)


def test_only_the_newest_events_are_read(model: AttentionRetrieval) -> None:
    history = [1 + i % ITEMS for i in range(CONFIG.history + 5)]
    queries, weights = read(model, padded(history, width=len(history)))
    close(queries, read(model, padded(history[5:], width=CONFIG.history)).queries)
    assert weights.shape == (1, len(history))
    assert not weights[0, :5].any()


def test_order_matters(model: AttentionRetrieval) -> None:
    forth, back = read(model, padded([1, 2, 3], [3, 2, 1], width=3)).queries
    assert not torch.allclose(forth, back, atol=0.1)


def test_before_training_the_nearest_item_to_a_single_event_is_that_item() -> None:
    with seeded(0):
        fresh = AttentionRetrieval(CONFIG, ITEMS)
    found = (
        read(fresh, padded(*([i] for i in range(1, ITEMS + 1)), width=1)).queries
        @ fresh.vectors().T
    )
    assert found.argmax(dim=1).tolist() == list(range(ITEMS))


@seldom
@given(first=st.integers(0, 20), second=st.integers(0, 40))
def test_growing_keeps_vectors_and_normalises_new_ones(first: int, second: int) -> None:
    model = AttentionRetrieval(CONFIG, first)
    before = model.items.detach().clone()
    model.grow(second)
    assert len(model) == max(first, second)
    assert torch.equal(model.items[: first + 1], before)
    assert not model.items[0].any()
    np.testing.assert_allclose(model.vectors().norm(dim=1), 1, rtol=1e-5)


def test_items_start_where_they_are_placed_and_others_stay() -> None:
    model = AttentionRetrieval(CONFIG, 4)
    before = model.vectors()
    wanted = np.eye(CONFIG.dims, dtype=np.float32)[:2]
    model.place(1, np.stack([wanted[0], np.zeros_like(wanted[0]), wanted[1]]))
    after = model.vectors()
    close(after[[1, 3]], torch.from_numpy(wanted))
    close(after[[0, 2]], before[[0, 2]])


@pytest.mark.parametrize(
    "given",
    [
        {"dims": 10, "heads": 4},
        {"dims": 0},
        {"history": 2.5},
        {"kernel": -1},
        {"dropout": 1.0},
        {"dropout": float("nan")},
        {"temperature": 0.0},
        {"temperature": float("inf")},
    ],
)
def test_a_shape_that_cannot_be_is_refused_by_name(given: dict[str, float]) -> None:
    with pytest.raises(BadAttentionConfig, match=next(iter(given))):
        AttentionConfig(**given)  # type: ignore[arg-type]  # that is the point
