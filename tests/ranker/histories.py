"""Histories: as rows of an attention model's item table, by ids of items, and in requests."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.attention import AttentionRetrieval, Encoded
from ranker.history import MANNERS, History
from ranker.items import ItemIndex
from ranker.request import Request
from ranker.training import Recipe
from tests.ranker.shops import NOW, name

QUICK = Recipe(few_targets=20)


def padded(*histories: list[int], width: int) -> Tensor:
    rows = torch.zeros((len(histories), width), dtype=torch.long)
    for row, history in zip(rows, histories, strict=True):
        if history:
            row[-len(history) :] = torch.tensor(history)
    return rows


def manners_of(rows: Tensor) -> Tensor:
    """Return how each event came: one manner for each item, so that a history tells all of it."""
    return rows * 7 % MANNERS


def a_click_a_second(*histories: Sequence[str]) -> list[History]:
    """Return histories of ids as a log tells them."""
    return [
        History.of(ids, np.arange(len(ids)) * 1000, np.zeros(len(ids), np.int8))
        for ids in histories
    ]


def read(model: AttentionRetrieval, rows: Tensor) -> Encoded:
    """Return what the model reads of rows of its item table."""
    vectors = F.normalize(model.items[rows], dim=-1)
    encoded: Encoded = model(vectors, rows > 0, manners_of(rows))
    return encoded


def shop_histories(users: int = 40, items: int = 20) -> list[History]:
    """Return walks along the ring of a shop's items, each from anywhere."""
    rng = np.random.default_rng(0)
    starts = rng.integers(0, items, users)
    walks = ([name(int(start + step) % items) for step in range(8)] for start in starts)
    return a_click_a_second(*walks)


def touched(index: ItemIndex, *item_ids: str) -> Request:
    """Ask for a list of somebody who clicked these, the newest first, a second apart."""
    return Request(
        now=NOW,
        k=5,
        history=index.slots(item_ids),
        history_kinds=np.zeros(len(item_ids), np.int8),
        history_times=NOW - np.arange(len(item_ids)) * 1000,
    )
