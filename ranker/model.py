"""What ranking needs of what was learnt: a scorer, and attention once it was trained."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from ranker.attention import AttentionConfig, AttentionRetrieval
from ranker.candidates import Request
from ranker.checkpoint import BadCheckpoint, Checkpoint, load_bytes, save_bytes
from ranker.evidence import HISTORY
from ranker.items import ItemIndex
from ranker.scorer import Scorer
from ranker.training import DEFAULT, Progress, Recipe, fit, seeded

UNTRAINED = "generators"  # the version of a model that has learnt from no history
_ATTENTION, _SCORER = "attention.", "ranker."  # begin the names of arrays in a checkpoint

_Floats = NDArray[np.float32]


class Model:
    """Linear weights over features, and an attention model once there is something to learn from.

    Training works on a copy that takes the place of the old one whole, so one thread may rank while
    another trains.

    Args:
        names: the features, in the order of the feature arrays.

    Attributes:
        scorer: weighs the features; learns in place from every outcome.
        metrics: how good the model was when it was last measured, by name; saved with it.
        version: names what the model was when it was last fitted or loaded.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.scorer = Scorer(names)
        self.metrics: dict[str, float] = {}
        self.version = UNTRAINED
        self._retrieval: _Retrieval | None = None

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that the attention model has vectors of."""
        return self._retrieval.item_ids if self._retrieval else ()

    def fit(
        self,
        histories: Iterable[Sequence[str]],
        *,
        epochs: int,
        seed: int,
        max_steps: int | None = None,
        recipe: Recipe = DEFAULT,
        progress: Callable[[Progress], None] | None = None,
    ) -> Progress:
        """Teach the attention model; it goes on from what it knows, and new items join.

        Lists keep coming as before until `install` has put the new vectors into the index.

        Args:
            histories: of each user, ids of the items in time order.
            epochs: as in `ranker.training.fit`, and so are all others.
            seed: decides the first weights too.
            max_steps: stop after so many optimiser steps; None = after all epochs.
            recipe: how to learn.
            progress: called after each epoch.

        Returns:
            Where training ended; 0 steps if there was nothing to learn from.
        """
        with seeded(seed):
            start = self._retrieval or _Retrieval(AttentionRetrieval(), ())
        attention, rows = deepcopy(start.attention), dict(start.rows)
        told = [
            np.array([rows.setdefault(item_id, len(rows) + 1) for item_id in history], np.int64)
            for history in histories
        ]
        done = fit(
            attention,
            told,
            epochs=epochs,
            seed=seed,
            max_steps=max_steps,
            recipe=recipe,
            progress=progress,
        )
        if done.steps:
            attention.grow(len(rows))
            self._replace(_Retrieval(attention, tuple(rows)))
        return done

    def install(self, index: ItemIndex) -> None:
        """Put the vectors of this model's items into the index, in place of any other model's.

        Items that the index does not know yet get a placeholder, so that those which come later
        find their vector there.
        """
        if self._retrieval:
            self._retrieval.install(index)

    def encode(
        self, requests: Sequence[Request], index: ItemIndex
    ) -> tuple[_Floats, _Floats] | None:
        """Read the requests' histories for `ranker.rank.rank`.

        Each reads the same alone and in a batch, but for rounding. Events on items that the model
        does not know are read as if they had not been.

        Returns:
            queries, (B, D), whose inner products with `index.vectors` are logits, all zero where no
            event is known; and attention, (B, HISTORY), newest first, which sums to 1 or is all
            zero. None: there is no attention model in this index.
        """
        return self._retrieval.encode(requests, index) if self._retrieval else None

    def save(self) -> bytes:
        """Return all of it as a checkpoint; equal models give equal bytes."""
        arrays = {
            f"{_SCORER}{name}": np.asarray(value)
            for name, value in self.scorer.state_dict().items()
        }
        config: dict[str, Any] = {}
        if self._retrieval:
            arrays |= _arrays(self._retrieval.attention)
            config = asdict(self._retrieval.attention.config)
        return save_bytes(
            Checkpoint(
                names=self.scorer.names,
                item_ids=self.item_ids,
                arrays=arrays,
                config=config,
                metrics=self.metrics,
            )
        )

    @classmethod
    def load(cls, payload: bytes, names: Sequence[str]) -> Self:
        """Read what `save` wrote.

        Args:
            payload: the checkpoint.
            names: the features that this program computes, in their order.

        Raises:
            BadCheckpoint: damaged, of another format or for other features.
        """
        checkpoint = load_bytes(payload, names)
        model = cls(names)
        model.metrics = dict(checkpoint.metrics)
        try:
            model.scorer.load_state_dict(_part(checkpoint.arrays, _SCORER))
            if checkpoint.config:
                model._replace(_Retrieval.of(checkpoint))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BadCheckpoint(f"the checkpoint's weights do not fit together: {error}") from error
        return model

    def _replace(self, retrieval: "_Retrieval") -> None:
        digest = hashlib.sha256(repr(retrieval.item_ids).encode())
        for _, array in sorted(_arrays(retrieval.attention).items()):
            digest.update(array.tobytes())
        for _, array in sorted(self.scorer.state_dict().items()):
            digest.update(array.tobytes())
        self._retrieval = retrieval
        self.version = f"attention-{digest.hexdigest()[:8]}"


class _Retrieval:
    """An attention model, its vocabulary, and where that lies in the indexes that have it.

    Row i + 1 of the model's item table is the vector of item_ids[i].
    """

    def __init__(self, attention: AttentionRetrieval, item_ids: Sequence[str]) -> None:
        self.attention = attention
        self.item_ids = tuple(item_ids)
        self.rows: Mapping[str, int] = {item_id: i for i, item_id in enumerate(item_ids, 1)}
        self._rows_by_slot: WeakKeyDictionary[ItemIndex, NDArray[np.int64]] = WeakKeyDictionary()

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """Raises: ValueError, KeyError, TypeError, RuntimeError: parts that do not fit."""
        weights = {
            name: torch.from_numpy(array)
            for name, array in _part(checkpoint.arrays, _ATTENTION).items()
        }
        for name, values in weights.items():
            if values.dtype != torch.float32 or not values.isfinite().all():
                raise ValueError(f"{name} is not all finite numbers of 32 bits")
        config, shape = AttentionConfig(**checkpoint.config), tuple(weights["items"].shape)
        distinct = len(set(checkpoint.item_ids))
        if shape != (distinct + 1, config.dims):
            raise ValueError(f"{distinct} items of {config.dims=}, but a table of shape {shape}")
        # Not on the "meta" device: to name it loads torch's compiler, 150 MB that ranking never
        # uses.
        with seeded(0):
            attention = AttentionRetrieval(config, len(checkpoint.item_ids))
        attention.load_state_dict(weights, assign=True)
        return cls(attention, checkpoint.item_ids)

    def install(self, index: ItemIndex) -> None:
        index.set_vectors(self.item_ids, self.attention.vectors().numpy())
        self._rows_by_slot[index] = np.empty(0, np.int64)

    def encode(
        self, requests: Sequence[Request], index: ItemIndex
    ) -> tuple[_Floats, _Floats] | None:
        if index not in self._rows_by_slot:
            return None
        history = self._histories(requests, self._rows_of(index))
        # Known events first, so that the model sees no holes.
        order = np.argsort(history == 0, axis=1, kind="stable")  # (B, HISTORY)
        known = np.take_along_axis(history, order, axis=1)
        longest = max(1, int((known > 0).sum(axis=1).max(initial=0)))
        with torch.inference_mode():
            encoded = self.attention(torch.from_numpy(known[:, :longest]).flip(1))
        weights = np.zeros(history.shape, np.float32)
        np.put_along_axis(weights, order[:, :longest], encoded.weights.numpy()[:, ::-1], axis=1)
        return encoded.queries.numpy(), weights

    def _rows_of(self, index: ItemIndex) -> NDArray[np.int64]:
        """Return the row of each slot, 0 = the item is not known; slots are only ever added."""
        rows, size = self._rows_by_slot[index], len(index)
        if len(rows) < size:
            more = [self.rows.get(item_id, 0) for item_id in index.ids[len(rows) : size]]
            rows = self._rows_by_slot[index] = np.append(rows, np.array(more, np.int64))
        return rows

    @staticmethod
    def _histories(requests: Sequence[Request], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (B, HISTORY) rows, newest first, 0 = unknown or empty."""
        histories = np.zeros((len(requests), HISTORY), np.int64)
        for history, request in zip(histories, requests, strict=True):
            slots = request.history[:HISTORY]
            inside = (slots >= 0) & (slots < len(rows))
            history[: len(slots)] = np.where(inside, rows[np.where(inside, slots, 0)], 0)
        return histories


def _arrays(attention: AttentionRetrieval) -> dict[str, NDArray[Any]]:
    return {f"{_ATTENTION}{name}": value.numpy() for name, value in attention.state_dict().items()}


def _part(arrays: Mapping[str, NDArray[Any]], beginning: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(beginning): array
        for name, array in arrays.items()
        if name.startswith(beginning)
    }
