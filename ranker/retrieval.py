"""What was learnt of histories, with the names of the items it was learnt of."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ranker.attention import AttentionConfig, AttentionRetrieval
from ranker.checkpoint import Checkpoint
from ranker.content import ContentTower, Entries, fit_content
from ranker.history import History, Recent, manners
from ranker.items import ItemIndex
from ranker.sequences import Told
from ranker.training import Progress, Recipe, fit, seeded

_ATTENTION, _TOWER = "attention.", "content."  # begin the names of arrays in a checkpoint
_UNTOUCHED = "untouched"  # the array of their vectors

_Floats = NDArray[np.float32]


class Retrieval:
    """An attention model, a tower that reads catalogue entries, and the items both know.

    Args:
        attention: row i + 1 of its item table is the vector of item_ids[i].
        item_ids: items that histories have taught, then `untouched` ones.
        tower: reads entries into the space of the attention model's items; None = no catalogue.
        untouched: (U, d) what the tower says of items in the catalogue that no history had.

    Attributes:
        space: names the space in which the vectors lie; no other model's lie in it.
    """

    def __init__(
        self,
        attention: AttentionRetrieval,
        item_ids: Sequence[str] = (),
        tower: ContentTower | None = None,
        untouched: _Floats | None = None,
    ) -> None:
        self.attention, self.tower = attention, tower
        self.item_ids = tuple(item_ids)
        self._known = frozenset(self.item_ids)
        width = attention.config.dims
        self.untouched = np.empty((0, width), np.float32) if untouched is None else untouched
        digest = hashlib.sha256(repr(self.item_ids).encode())
        for _, array in sorted(self.arrays().items()):
            digest.update(np.ascontiguousarray(array).tobytes())
        self.space = digest.hexdigest()[:16]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """Raises: ValueError, KeyError, TypeError, RuntimeError: parts that do not fit."""
        weights = _tensors(checkpoint.arrays, _ATTENTION)
        read = _tensors(checkpoint.arrays, _TOWER)
        config, shape = AttentionConfig(**checkpoint.config), tuple(weights["items"].shape)
        untouched = np.asarray(checkpoint.arrays[_UNTOUCHED], np.float32)
        distinct = len(set(checkpoint.item_ids))
        touched = distinct - len(untouched)
        if shape != (touched + 1, config.dims) or untouched.shape[1:] != (config.dims,):
            raise ValueError(
                f"{distinct} items of {config.dims=}, but tables of shapes {shape} and "
                f"{untouched.shape}"
            )
        # Not on the "meta" device: to name it loads torch's compiler, 150 MB that ranking never
        # uses.
        with seeded(0):
            attention = AttentionRetrieval(config, touched)
            tower = ContentTower(config.dims, config.heads, read.get("known")) if read else None
        attention.load_state_dict(weights, assign=True)
        if tower is not None:
            tower.load_state_dict(read, assign=True)
        return cls(attention, checkpoint.item_ids, tower, untouched)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all weights by name, as a checkpoint holds them."""
        parts = {_ATTENTION: self.attention, _TOWER: self.tower}
        found = {
            f"{begin}{name}": value.numpy()
            for begin, part in parts.items()
            if part is not None
            for name, value in part.state_dict().items()
        }
        return found | {_UNTOUCHED: self.untouched}

    @property
    def touched(self) -> tuple[str, ...]:
        """The items that histories have taught."""
        return self.item_ids[: len(self.attention)]

    def rows(self) -> dict[str, int]:
        """Return the row of each item that histories have taught."""
        return {item_id: row for row, item_id in enumerate(self.touched, 1)}

    def fitted(
        self,
        histories: Iterable[History],
        contents: Mapping[str, NDArray[np.integer]],
        *,
        epochs: int,
        seed: int,
        max_steps: int | None,
        recipe: Recipe,
        progress: Callable[[Progress], None] | None,
    ) -> tuple[Progress, Self]:
        """Return what this one becomes by going on learning (see `ranker.model.Model.fit`).

        An item's vector is what its entry says, as far as one is known, and what histories add. So
        a new item starts where the tower, as taught before, puts it.
        """
        attention, tower = deepcopy(self.attention), deepcopy(self.tower)
        rows = self.rows()
        told = [
            Told(np.array([rows.setdefault(one, len(rows) + 1) for one in ids], np.int64), came)
            for ids, came in histories
        ]
        entries = _entries(contents, rows)
        known = len(attention)
        with seeded(seed):
            attention.grow(len(rows))
        if tower is not None:
            attention.place(known, tower.vectors(entries)[known:])
        done = fit(
            attention,
            told,
            epochs=epochs,
            seed=seed,
            max_steps=max_steps,
            recipe=recipe,
            progress=progress,
        )
        rest, untouched = list[str](), None
        if len(entries.tokens) and done.steps:
            if tower is None:
                with seeded(seed):
                    tower = ContentTower(attention.config.dims, attention.config.heads)
            vectors = attention.vectors().numpy()
            touched = np.concatenate([one.rows for one in told])
            touches = np.bincount(touched, minlength=len(rows) + 1)[1:]
            steps = recipe.content_steps * epochs
            fit_content(tower, entries, vectors, touches, steps=steps, seed=seed)
            rest = [item_id for item_id in contents if item_id not in rows]
            untouched = tower.vectors(_entries(contents, rest))
        return done, type(self)(attention, (*rows, *rest), tower, untouched)

    def knows(self, item_id: str) -> bool:
        """Tell whether there is a vector of the item."""
        return item_id in self._known

    def read(self, contents: Sequence[NDArray[np.integer]]) -> _Floats:
        """Return where entries lie, (n, D) of length 1, all 0 where no token is known."""
        if self.tower is None:
            return np.zeros((len(contents), self.attention.config.dims), np.float32)
        return self.tower.vectors(Entries.of(contents))

    def install(self, index: ItemIndex) -> None:
        """Put the items' vectors into the index, in place of any other model's."""
        vectors = np.concatenate([self.attention.vectors().numpy(), self.untouched])
        index.set_vectors(self.item_ids, vectors, self.space)

    def encode(self, recent: Recent, index: ItemIndex) -> tuple[_Floats, _Floats] | None:
        """Read histories, by the vectors that the index has (see `ranker.model.Model.encode`)."""
        if index.space != self.space:
            return None
        slots, kinds, times = recent
        columns = index.columns
        known = (slots >= 0) & columns.has_vector[np.maximum(slots, 0)]
        # Known events first, so that the model sees no holes.
        order = np.argsort(~known, axis=1, kind="stable")  # (B, HISTORY)
        longest = max(1, int(known.sum(axis=1).max(initial=0)))
        order = order[:, :longest][:, ::-1]  # oldest first
        read, real = (np.take_along_axis(part, order, axis=1) for part in (slots, known))
        times = np.take_along_axis(times, order, axis=1)
        kinds = np.take_along_axis(kinds, order, axis=1)
        came = manners(times, kinds, np.diff(real, axis=1, prepend=False)).astype(np.int64)
        vectors = columns.vectors.take(np.where(real, read, 0), axis=0)
        with torch.inference_mode():
            encoded = self.attention(*map(torch.from_numpy, (vectors, real, came)))
        weights = np.zeros(slots.shape, np.float32)
        np.put_along_axis(weights, order, encoded.weights.numpy(), axis=1)
        return encoded.queries.numpy(), weights


def new_retrieval(seed: int) -> Retrieval:
    """Return one that knows nothing; the seed decides its first weights."""
    with seeded(seed):
        return Retrieval(AttentionRetrieval())


def _entries(contents: Mapping[str, NDArray[np.integer]], item_ids: Iterable[str]) -> Entries:
    """Return the entries of items, in their order; empty for one that is not in the catalogue."""
    none = np.empty(0, np.int64)
    return Entries.of([contents.get(item_id, none) for item_id in item_ids])


def _tensors(arrays: Mapping[str, NDArray[Any]], beginning: str) -> dict[str, torch.Tensor]:
    """Return the weights whose names begin so, without the beginning.

    Raises:
        ValueError: one of them is not finite.
    """
    found = {
        name.removeprefix(beginning): torch.from_numpy(array)
        for name, array in arrays.items()
        if name.startswith(beginning)
    }
    for name, values in found.items():
        wanted = torch.int64 if name == "known" else torch.float32
        if values.dtype != wanted or not values.isfinite().all():
            raise ValueError(f"{beginning}{name} is not all finite numbers of {wanted}")
    return found
