"""An optimiser whose steps cost what they touch, not what there is."""

import torch
from torch import Tensor


class RowAdam:
    """Adam that keeps up only the rows that a step touches.

    Source: arXiv:1412.6980; lazy as torch.optim.SparseAdam.
    """

    def __init__(self, table: Tensor, rate: float) -> None:
        self._table, self._rate = table.detach(), rate
        self._mean, self._square = torch.zeros_like(self._table), torch.zeros_like(self._table)
        self._steps = 0

    def step(self, rows: Tensor, gradient: Tensor, rate: float) -> None:
        """Move distinct rows, (n,), by their gradient, (n, d), at a share of the learning rate."""
        self._steps += 1
        mean = self._mean[rows].lerp_(gradient, 1 - 0.9)
        square = self._square[rows].lerp_(gradient.square(), 1 - 0.999)
        self._mean.index_copy_(0, rows, mean)
        self._square.index_copy_(0, rows, square)
        unbiased = (square / (1 - 0.999**self._steps)).sqrt_().add_(1e-8)
        move = mean.div_(unbiased).mul_(-rate * self._rate / (1 - 0.9**self._steps))
        self._table.index_add_(0, rows, move)
