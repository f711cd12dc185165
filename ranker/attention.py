"""What comes next: a history is read into one query vector that lies in the space of the items.

Every list of a shop can ask this model for its nearest items in one product of matrices. It has an
id vector per item and few other weights, so it learns from some ten thousand events.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.history import MANNERS

_HIDDEN = -1e9  # logit of what may not be attended to; finite, so that no softmax is empty
_FIRST_LENGTH = 0.3  # of a new item vector: Adam turns a short one faster


class BadAttentionConfig(ValueError):
    """A configuration that no attention model can be made of."""


@dataclass(slots=True, frozen=True, kw_only=True)
class AttentionConfig:
    """The model's shape; one configuration serves every shop.

    Attributes:
        dims: width of an item vector; a multiple of `heads`.
        heads: of the attention, each reads its own part of an item vector.
        history: events that are read, the newest ones.
        kernel: events that the convolution sees at once.
        dropout: 0..1, share of each vector that is hidden while training.
        temperature: cosines are divided by it; the lower, the more a softmax prefers the best.

    Raises:
        BadAttentionConfig: a value out of its range.
    """

    dims: int = 96
    heads: int = 4
    history: int = 50
    kernel: int = 3
    dropout: float = 0.2
    temperature: float = 0.13

    def __post_init__(self) -> None:
        for name in ("dims", "heads", "history", "kernel"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise BadAttentionConfig(f"{name} is {value!r}, it must be a whole number from 1")
        if self.dims % self.heads:
            raise BadAttentionConfig(f"dims {self.dims} is not a multiple of heads {self.heads}")
        if not 0 <= self.dropout < 1:
            raise BadAttentionConfig(f"dropout is {self.dropout!r}, it must be in 0..1, 1 excluded")
        if not 0 < self.temperature < math.inf:
            raise BadAttentionConfig(f"temperature is {self.temperature!r}, it must be above 0")


class Encoded(NamedTuple):
    """B histories as the model reads them."""

    queries: Tensor  # (B, d) of length 1 / temperature; all 0 where the history is empty
    weights: Tensor  # (B, H) attention over the history; sums to 1, or is all 0 where it is empty


class AttentionRetrieval(nn.Module):
    """Read a history into a query whose inner products with item vectors are logits.

    A causal convolution makes each event aware of the two before it, of the pause before each and
    of what kind of event it was, and gives attention its queries and keys. The values are the raw
    item vectors: what attention mixes lies in the space of the items before anything is learnt. A
    residual MLP over the mix, the newest item and its convolved state starts as zero and learns
    what a mix of seen items cannot say.

    Shapes: B histories, H events (oldest first, empty slots only in front), d dims, nh heads,
    V items. Row 0 of the item table is the empty slot and stays zero.

    Args:
        config: the shape.
        items: V, for a start; `grow` adds more.

    Source: queries that stay in the item space, cosine over temperature: CORE, Hou et al.,
    arXiv:2204.11067; attention, arXiv:1706.03762; relative distances, arXiv:1803.02155.
    """

    def __init__(self, config: AttentionConfig | None = None, items: int = 0) -> None:
        super().__init__()
        self.config = config = config or AttentionConfig()
        d = config.dims
        self.items = nn.Parameter(torch.zeros(1, d))
        self.manner = nn.Parameter(torch.zeros(MANNERS, d))
        self.convolve = nn.Conv1d(d, d, config.kernel)
        self.query_key = nn.Linear(d, 2 * d, bias=False)
        self.distance = nn.Parameter(torch.zeros(config.heads, config.history))
        self.refine = nn.Sequential(
            nn.Linear(3 * d, 2 * d), nn.GELU(), nn.Dropout(config.dropout), nn.Linear(2 * d, d)
        )
        self.hide = nn.Dropout(config.dropout)
        for parameter in self.refine[-1].parameters():
            nn.init.zeros_(parameter)
        self.grow(items)
        self.eval()

    def __len__(self) -> int:
        """Count the items, V."""
        return len(self.items) - 1

    def grow(self, items: int) -> None:
        """Add random vectors until there are `items`; those that exist keep theirs."""
        more = items - len(self)
        if more > 0:
            fresh = torch.randn(more, self.config.dims, device=self.items.device)
            fresh *= _FIRST_LENGTH / math.sqrt(self.config.dims)
            self.items = nn.Parameter(torch.cat([self.items.detach(), fresh]))

    def vectors(self) -> Tensor:
        """Return the items' vectors without the empty slot, (V, d), L2-normalised."""
        return F.normalize(self.items.detach()[1:], dim=-1)

    def place(self, begin: int, vectors: NDArray[np.float32]) -> None:
        """Let items from number `begin` on, of 0..V - 1, start where these vectors point.

        Args:
            begin: the first.
            vectors: (n, d) of length 1; one of zeros leaves its item where it is.
        """
        rows = torch.arange(len(vectors)) + begin + 1
        told = torch.from_numpy(vectors.any(axis=1))
        self.items.detach()[rows[told]] = torch.from_numpy(vectors)[told] * _FIRST_LENGTH

    def forward(self, vectors: Tensor, real: Tensor, manners: Tensor) -> Encoded:
        """Read histories into queries.

        Args:
            vectors: (B, H, d) of the events' items, of length 1, oldest first; any in an empty
                slot. Of a longer history the newest `config.history` events are read; the others
                weigh 0.
            real: (B, H) False = empty slot, in front only.
            manners: (B, H) how each event came, 0..MANNERS - 1; any in an empty slot.
        """
        unread = max(0, vectors.shape[1] - self.config.history)
        vectors, real, manners = (part[:, unread:] for part in (vectors, real, manners))
        queries, weights = self.read(vectors, real, manners, newest=1)
        return Encoded(queries[:, 0], F.pad(weights[:, 0], (unread, 0)))

    def read(
        self, vectors: Tensor, real: Tensor, manners: Tensor, newest: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return a query for each of the newest positions, as if nothing had come after it.

        Args:
            vectors: (B, L, d) normalised item vectors, L <= config.history.
            real: (B, L) False = empty slot.
            manners: (B, L) how each event came.
            newest: so many positions, N, from the end; None = all of them.

        Returns:
            queries, (B, N, d), and attention, (B, N, L), averaged over the heads.
        """
        B, L, d = vectors.shape
        N = L if newest is None else newest
        values = self.hide(vectors) * real[..., None]  # (B, L, d)
        came = values + F.embedding(manners, self.manner) * real[..., None]
        state = self._convolved(came)  # (B, L, d)
        # A query meets the states by way of the keys' weights: of few queries that costs less than
        # a key for every event, and of all of them little more.
        per_head = (self.config.heads, d // self.config.heads)
        to_query, to_key = (part.view(*per_head, d) for part in self.query_key.weight.chunk(2))
        query = torch.einsum("bnd,hed->bnhe", state[:, L - N :], to_query)
        asked = torch.einsum("bnhe,hed->bnhd", query, to_key).flatten(1, 2)  # (B, N nh, d)
        logits = (asked @ state.transpose(1, 2)).view(B, N, -1, L).transpose(1, 2)
        logits = logits / math.sqrt(per_head[1])  # (B, nh, N, L)
        distance = torch.arange(L - N, L)[:, None] - torch.arange(L)  # (N, L) < 0 = later
        logits = logits + self.distance[:, distance.clamp(min=0)]
        seen = (distance >= 0) & real[:, None, :]  # (B, N, L)
        weights = logits.masked_fill(~seen[:, None], _HIDDEN).softmax(-1) * seen[:, None]
        value = values.view(B, L, *per_head).transpose(1, 2)  # (B, nh, L, d / nh)
        mix = (weights @ value).transpose(1, 2).reshape(B, N, d)
        last = slice(L - N, L)
        found = mix + self.refine(torch.cat([mix, values[:, last], state[:, last]], dim=-1))
        found = found * real[:, last, None]
        return F.normalize(found, dim=-1) / self.config.temperature, weights.mean(dim=1)

    def _convolved(self, values: Tensor) -> Tensor:
        padded = F.pad(values.transpose(1, 2), (self.config.kernel - 1, 0))  # sees the past only
        return values + F.gelu(self.convolve(padded)).transpose(1, 2)
