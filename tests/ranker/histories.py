"""Histories as rows of an attention model's item table, and of items by their ids."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.attention import AttentionRetrieval, Encoded
from ranker.history import MANNERS, History


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
