"""Histories as rows of an attention model's item table."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.attention import AttentionRetrieval, Encoded


def padded(*histories: list[int], width: int) -> Tensor:
    rows = torch.zeros((len(histories), width), dtype=torch.long)
    for row, history in zip(rows, histories, strict=True):
        if history:
            row[-len(history) :] = torch.tensor(history)
    return rows


def read(model: AttentionRetrieval, rows: Tensor) -> Encoded:
    """Return what the model reads of rows of its item table."""
    encoded: Encoded = model(F.normalize(model.items[rows], dim=-1), rows > 0)
    return encoded
