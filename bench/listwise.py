"""Whether a list is ranked better by candidates that look at each other.

    python -m bench.listwise [DIR] [--events N] [--rounds N] [--json]

Walks a log (the shipped clothing shop's, or that of a folder in the form of `headrace evaluate`) as
evaluation does. Every list that teaches the scorer is judged, then learnt, by two networks more:
one with the scorer's own layers, and the same with self-attention among the candidates between
them. They see the same features, masks and outcomes in the same order, once, and begin with linear
weights of 0; each round is a seed. Lists that lack what was taken teach nobody and are not judged;
those of the first half only teach. Prints one JSON object with --json, else a table.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  as all of torch's users call it

from bench.machine import machine, spread
from bench.tables import table
from features.events import Event, Item
from features.vector import NAMES
from ranker.adam import AVERAGED_STEPS, BEGIN_SHARE
from ranker.linear import GATES
from ranker.network import HIDDEN, LEARNING_RATE
from ranker.scorer import STEP_LISTS, Scorer
from streams.data import ESHOP_CLOTHING, read_folder
from streams.learner import Learner, taught_by

K = 20
HEADS = 2
_SCALE_LISTS = 1_000
"""After so many lists the inputs' scale stays."""
_Floats = NDArray[np.float32]


class Listwise(nn.Module):
    """Linear weights and a small network beside them, as `Scorer` has, with or without attention.

    Source: self-attention among the items of a list, Pang et al., SetRank, arXiv:1912.05891.
    """

    def __init__(self, *, attentive: bool) -> None:
        super().__init__()
        first, second = HIDDEN
        self.linear = nn.Parameter(torch.zeros(GATES, len(NAMES)))
        self.first = nn.Linear(len(NAMES) + GATES - 1, first)
        self.mixed = nn.Linear(first, 3 * first, bias=False) if attentive else None
        self.out = nn.Linear(first, first, bias=False) if attentive else None
        self.second, self.last = nn.Linear(first, second), nn.Linear(second, 1)
        for layer in (self.last, self.out):
            for weights in layer.parameters() if layer is not None else ():
                nn.init.zeros_(weights)  # it says nothing before it has learnt

    def forward(self, X: Tensor, scale: Tensor, mask: Tensor, gated: Tensor) -> Tensor:
        """Return logits, (B, C), of features (B, C, F) and gates (B, 4)."""
        linear = (X @ (gated @ self.linear)[:, :, None])[..., 0]
        context = gated[:, None, 1:].expand(-1, X.shape[1], -1)
        hidden = F.relu(self.first(torch.cat([X * scale, context], dim=-1)))
        if self.mixed is not None and self.out is not None:
            B, C, d = hidden.shape
            parts = self.mixed(hidden).view(B, C, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
            query, key, value = parts.unbind()
            seen = F.scaled_dot_product_attention(query, key, value, mask[:, None, None, :])
            hidden = hidden + self.out(seen.transpose(1, 2).reshape(B, C, d))
        logits: Tensor = linear + self.last(F.relu(self.second(hidden)))[..., 0]
        return logits.masked_fill(~mask, -torch.inf)


class Contestant:
    """One network, learnt online: the mean of its late weights ranks, as in `ranker.adam`."""

    def __init__(self, seed: int, *, attentive: bool) -> None:
        torch.manual_seed(seed)
        self._learning = Listwise(attentive=attentive)
        self._ranking = Listwise(attentive=attentive).requires_grad_(requires_grad=False)
        self._ranking.load_state_dict(self._learning.state_dict())
        self._adam = torch.optim.Adam(self._learning.parameters(), LEARNING_RATE)
        self._steps = 0
        self.ranks: list[int] = []
        self.scoring_s = self.learning_s = 0.0

    def see(self, lists: tuple[Tensor, Tensor, Tensor, Tensor], target: NDArray[np.int64]) -> None:
        """Judge lists of which every one has the item that was taken, then learn from them."""
        began = time.process_time()
        with torch.inference_mode():
            logits = self._ranking(*lists).numpy()
        scored = time.process_time()
        taken = logits[np.arange(len(target)), target][:, None]
        self.ranks += (1 + (logits > taken).sum(axis=1)).tolist()
        loss = F.cross_entropy(self._learning(*lists), torch.from_numpy(target))
        self._adam.zero_grad()
        torch.autograd.backward(loss)
        self._adam.step()
        self._steps += 1
        pace = max(1 / AVERAGED_STEPS, BEGIN_SHARE / (self._steps + BEGIN_SHARE - 1))
        with torch.no_grad():
            for mean, late in zip(
                self._ranking.parameters(), self._learning.parameters(), strict=True
            ):
                mean.lerp_(late, pace)
        self.scoring_s += scored - began
        self.learning_s += time.process_time() - scored


class Audience(Scorer):
    """The scorer, with contestants who see every list that teaches it."""

    def __init__(self, contestants: Iterable[Contestant]) -> None:
        super().__init__(NAMES)
        self._contestants = tuple(contestants)
        self._square = np.ones(len(NAMES), np.float32)
        self.lists = 0

    def learn(
        self, X: _Floats, mask: NDArray[np.bool_], gated: _Floats, target: NDArray[np.int64]
    ) -> float:
        """Show contestants the lists that have what was taken, a step at a time."""
        rows = np.flatnonzero(target >= 0)
        for begin in range(0, len(rows), STEP_LISTS):
            part = rows[begin : begin + STEP_LISTS]
            shown = np.ascontiguousarray(X[part]), mask[part], gated[part]
            features, there, of_list = map(torch.from_numpy, shown)
            scale = torch.from_numpy(1 / np.sqrt(self._square + np.float32(1e-4)))
            for contestant in self._contestants:
                contestant.see((features, scale, there, of_list), target[part])
            self._follow(shown[0][shown[1]], len(part))
        return super().learn(X, mask, gated, target)

    def _follow(self, inputs: _Floats, lists: int) -> None:
        """Follow the mean square of the inputs for a while."""
        self.lists += lists
        if self.lists <= _SCALE_LISTS:
            pace = np.float32(lists / self.lists)
            self._square += pace * ((inputs**2).mean(axis=0) - self._square)


def main() -> None:
    """Run and print."""
    given = _arguments()
    torch.set_num_threads(1)
    seats = {
        name: [Contestant(seed, attentive=attentive) for seed in range(given.rounds)]
        for name, attentive in (("plain", False), ("attention", True))
    }
    audience = Audience(one for row in seats.values() for one in row)
    name, items, events, count = _log(given.folder, given.events)
    _walk(audience, items, events, count)
    half = audience.lists // 2
    if not half:
        raise SystemExit(f"{name}: no list taught anything in {count} events; give it more")
    found = {name: _figures(row, half) for name, row in seats.items()}
    cost = {name: sum(one.scoring_s for one in row) for name, row in seats.items()}
    figures = {
        "what": "listwise",
        "data": name,
        "events": count,
        "rounds": given.rounds,
        "lists": {"taught": audience.lists, "judged": audience.lists - half},
        "listwise": found,
        "ratios": {"list_us_attention_to_plain": round(cost["attention"] / cost["plain"], 2)},
        "machine": machine(),
    }
    print(json.dumps(figures) if given.json else table(found))


def _log(folder: Path | None, most: int | None) -> tuple[str, Iterable[Item], Iterable[Event], int]:
    """Return a log's name, its catalogue, its first events, and how many these are."""
    if folder is None:
        shop = ESHOP_CLOTHING
        name, items, read, total = shop.name, shop.items(), shop.events, shop.events_total
    else:
        data = read_folder(folder)
        read = data.train if data.protocol.kind == "next-item" else data.events
        name, items, total = data.protocol.name, data.items(), sum(1 for _ in read())
    count = total if most is None else min(most, total)
    return name, items, islice(read(), count), count


def _walk(audience: Audience, items: Iterable[Item], events: Iterable[Event], count: int) -> None:
    learner = Learner(K, 0)
    learner.model.scorer = audience
    learner.replay.catalogue(items)
    for number, _ in enumerate(learner.learn(events, taught_by(count))):
        if number % 5_000 == 0:
            print(f"{number} lists, {audience.lists} taught", file=sys.stderr, flush=True)


def _figures(row: Iterable[Contestant], half: int) -> dict[str, dict[str, object]]:
    """Return hits and costs of one kind of network, over its seeds."""
    row = list(row)
    ranks = [np.array(one.ranks[half:]) for one in row]
    lists = len(row[0].ranks)
    return {
        f"hr@{K}": spread([float((of <= K).mean()) for of in ranks], 4),
        f"mrr@{K}": spread([float(np.where(of <= K, 1 / of, 0).mean()) for of in ranks], 4),
        "list_us": spread([one.scoring_s / lists * 1e6 for one in row]),
        "learn_us": spread([one.learning_s / lists * 1e6 for one in row]),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a log, with protocol")
    parser.add_argument("--events", type=int, help="of the log, the first ones")
    parser.add_argument("--rounds", type=int, default=3, help="seeds of each network")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
