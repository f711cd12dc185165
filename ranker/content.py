"""Where an item lies among the others before anybody has touched it: its catalogue entry, read.

A Transformer encoder reads the tokens of an entry into a vector in the space of the attention
model's items. It learns from items whose vectors many histories have taught, and answers for those
that none has.

Source: contrastive alignment of content with collaborative vectors, Wei et al. (CLCRec), MM 2021;
the encoder, arXiv:1706.03762.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from ranker.training import seeded

TOKENS = 64
"""Tokens of an entry that are read, the first ones."""
_BATCH = 256  # items that a step learns to tell apart
_AT_ONCE = 1024  # items that are read at a time, so that memory stays flat
_LEARNING_RATE = 1e-3
_TEMPERATURE = 0.07
_DROPOUT = 0.1
_HIDDEN = 0.2  # share of tokens that a step does not see: a word of one item's own is no crutch
_FIRST_LENGTH = 0.3  # of a new token's vector

_Floats = NDArray[np.float32]
_Ints = NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Entries:
    """What the catalogue says of n items: their tokens, one after the other.

    Attributes:
        tokens: (T,) ids above 0, item after item.
        starts: (n + 1,) item i has tokens[starts[i] : starts[i + 1]].
    """

    tokens: _Ints
    starts: _Ints

    @classmethod
    def of(cls, told: Sequence[NDArray[np.integer]]) -> "Entries":
        """Put the tokens of each item together, the first `TOKENS` of them."""
        cut = [np.asarray(ids[:TOKENS], np.int64) for ids in told]
        lengths = np.array([len(ids) for ids in cut], np.int64)
        return cls(np.concatenate([np.empty(0, np.int64), *cut]), np.append(0, lengths.cumsum()))

    def __len__(self) -> int:
        """Count the items."""
        return len(self.starts) - 1


class ContentTower(nn.Module):
    """Read the tokens of items into vectors.

    Its vocabulary is what it has learnt from: a token that it does not know says nothing. An entry
    is a set, so tokens have no place in it.

    Shapes: n items, L tokens of the longest, d dims, V known tokens.

    Args:
        dims: d, a multiple of `heads`.
        heads: of its attention.
        known: (V,) ids of the tokens it has a vector of, ascending.
    """

    def __init__(self, dims: int, heads: int, known: Tensor | None = None) -> None:
        super().__init__()
        known = torch.empty(0, dtype=torch.long) if known is None else known
        self.known: Tensor
        self.register_buffer("known", known)
        self.embedding = nn.Parameter(_new_rows(len(known) + 1, dims))
        self.layer = nn.TransformerEncoderLayer(
            dims, heads, 2 * dims, _DROPOUT, F.gelu, batch_first=True, norm_first=True
        )
        self.out = nn.Linear(dims, dims)
        self.eval()

    def learn_tokens(self, entries: Entries) -> None:
        """Add a random vector for every token that is not known yet."""
        known = self.known.numpy()
        union = np.union1d(known, entries.tokens)
        if len(union) == len(known):
            return
        rows = _new_rows(len(union) + 1, self.embedding.shape[1])
        kept = torch.from_numpy(np.searchsorted(union, known)) + 1
        rows[kept] = self.embedding.detach()[1:]
        self.known, self.embedding = torch.from_numpy(union), nn.Parameter(rows)

    def forward(self, rows: Tensor) -> Tensor:
        """Return where each item lies, (n, d) of length 1.

        Args:
            rows: (n, L) of the table of tokens; 0 = none, at least one of each item is not.
        """
        real = rows > 0
        read = self.layer(F.embedding(rows, self.embedding), src_key_padding_mask=~real)
        mean = (read * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        return F.normalize(self.out(mean), dim=-1)

    def vectors(self, entries: Entries) -> _Floats:
        """Return a vector of length 1 for each item, (n, d); all 0 where no token is known."""
        found = np.zeros((len(entries), self.embedding.shape[1]), np.float32)
        lengths = np.diff(entries.starts)
        # Items of like length share a batch, so that little of it is padding.
        order = np.argsort(lengths, kind="stable")
        with torch.inference_mode():
            for begin in range(0, len(order), _AT_ONCE):
                part = order[begin : begin + _AT_ONCE]
                rows = self.rows(entries, part)
                told = rows.any(1)
                if told.any():
                    found[part[told.numpy()]] = self(rows[told]).numpy()
        return found

    def rows(self, entries: Entries, items: _Ints) -> Tensor:
        """Return the rows of items' tokens in the table, (n, L), 0 where there is none known."""
        begins = entries.starts[items]
        lengths = entries.starts[items + 1] - begins
        longest = max(1, int(lengths.max(initial=0)))
        place = np.arange(longest)
        real = place < lengths[:, None]
        ids = np.append(entries.tokens, 0)[np.where(real, begins[:, None] + place, -1)]
        known = self.known.numpy()
        found = np.searchsorted(known, ids)
        there = real & (np.append(known, -1)[found] == ids)
        rows = np.where(there, found + 1, 0)
        # Known tokens first, and no column that is empty in all.
        rows = -np.sort(-rows, axis=1)
        return torch.from_numpy(rows[:, : max(1, int((rows > 0).sum(1).max(initial=0)))])


def fit_content(
    tower: ContentTower,
    entries: Entries,
    targets: _Floats,
    touches: _Ints,
    *,
    steps: int,
    seed: int,
) -> float:
    """Teach a tower where items lie; return the mean loss of all steps, nats.

    A step takes a batch of items and learns which vector is whose. How often an item is drawn goes
    with how well its vector is known: n / (n + 10) after n touches.

    Args:
        tower: learns in place; it is left in evaluation mode.
        entries: of n items.
        targets: (n, d) their vectors, of length 1.
        touches: (n,) from which these were learnt.
        steps: so many.
        seed: where chance comes from.
    """
    told = np.diff(entries.starts) > 0
    weights = torch.from_numpy(np.where(told, touches / (touches + 10.0), 0.0))
    batch = min(_BATCH, int((weights > 0).sum()))
    if batch < 2 or not steps:  # noqa: PLR2004  there is nothing to tell apart
        return 0.0
    wanted, total = torch.from_numpy(targets), 0.0
    with seeded(seed):
        tower.learn_tokens(entries)
        optimiser = torch.optim.AdamW(tower.parameters(), _LEARNING_RATE)
        tower.train()
        try:
            for _ in range(steps):
                items = torch.multinomial(weights, batch)
                found = tower(_thinned(tower.rows(entries, items.numpy())))
                logits = found @ wanted[items].T / _TEMPERATURE
                loss = F.cross_entropy(logits, torch.arange(batch))
                optimiser.zero_grad()
                torch.autograd.backward(loss)
                optimiser.step()
                total += float(loss.detach())
        finally:
            tower.eval()
    return total / steps


def _thinned(rows: Tensor) -> Tensor:
    """Hide some tokens of each item, never all of them."""
    thin = rows.masked_fill(torch.rand(rows.shape) < _HIDDEN, 0)
    return torch.where(thin.any(1, keepdim=True), thin, rows)


def _new_rows(count: int, dims: int) -> Tensor:
    rows = torch.randn(count, dims) * (_FIRST_LENGTH / math.sqrt(dims))
    rows[0] = 0
    return rows
