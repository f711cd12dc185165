"""What ranking needs of what was learnt: a scorer, and attention once it was trained."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ranker.checkpoint import BadCheckpoint, Checkpoint, load_bytes, save_bytes
from ranker.history import History, Recent
from ranker.items import ItemIndex
from ranker.retrieval import Retrieval, new_retrieval
from ranker.scorer import Scorer
from ranker.training import DEFAULT, Progress, Recipe

UNTRAINED = "generators"  # the version of a model that has learnt from no history
_SCORER = "ranker."  # begins the names of its arrays in a checkpoint

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
        self._retrieval: Retrieval | None = None

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items that the attention model has vectors of."""
        return self._retrieval.item_ids if self._retrieval else ()

    def fit(
        self,
        histories: Iterable[History],
        contents: Mapping[str, NDArray[np.integer]] | None = None,
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
            histories: of each user.
            contents: item -> tokens of its catalogue entry, ids above 0. Items that no history has
                get a vector from them, and those that are new start from it.
            epochs: as in `ranker.training.fit`, and so are all others.
            seed: decides the first weights too.
            max_steps: stop after so many optimiser steps; None = after all epochs.
            recipe: how to learn.
            progress: called after each epoch.

        Returns:
            Where training ended; 0 steps if there was nothing to learn from.
        """
        start = self._retrieval or new_retrieval(seed)
        done, found = start.fitted(
            histories,
            contents or {},
            epochs=epochs,
            seed=seed,
            max_steps=max_steps,
            recipe=recipe,
            progress=progress,
        )
        if done.steps:
            self._replace(found)
        return done

    @property
    def space(self) -> str:
        """Names the space in which the items' vectors lie; "" = nothing was learnt yet."""
        return self._retrieval.space if self._retrieval else ""

    def knows(self, item_id: str) -> bool:
        """Tell whether there is a vector of the item, or no space in which one could lie."""
        return self._retrieval is None or self._retrieval.knows(item_id)

    def read(self, contents: Sequence[NDArray[np.integer]]) -> _Floats:
        """Return where catalogue entries lie, (n, D) of length 1, all 0 where nothing is known.

        Args:
            contents: tokens of each entry, ids above 0.
        """
        none = np.zeros((len(contents), 0), np.float32)
        return self._retrieval.read(contents) if self._retrieval else none

    def install(self, index: ItemIndex) -> None:
        """Put the vectors of this model's items into the index, in place of any other model's.

        Items that the index does not know yet get a placeholder, so that those which come later
        find their vector there.
        """
        if self._retrieval:
            self._retrieval.install(index)

    def encode(self, recent: Recent, index: ItemIndex) -> tuple[_Floats, _Floats] | None:
        """Read histories for `ranker.rank.rank`.

        Each reads the same alone and in a batch, but for rounding. Events on items that the model
        does not know are read as if they had not been.

        Returns:
            queries, (B, D), whose inner products with `index.vectors` are logits, all zero where no
            event is known; and attention, (B, HISTORY), newest first, which sums to 1 or is all
            zero. None: there is no attention model in this index.
        """
        return self._retrieval.encode(recent, index) if self._retrieval else None

    def save(self) -> bytes:
        """Return all of it as a checkpoint; equal models give equal bytes."""
        arrays = {
            f"{_SCORER}{name}": np.asarray(value)
            for name, value in self.scorer.state_dict().items()
        }
        config: dict[str, Any] = {}
        if self._retrieval:
            arrays |= self._retrieval.arrays()
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
                model._replace(Retrieval.of(checkpoint))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise BadCheckpoint(f"the checkpoint's weights do not fit together: {error}") from error
        return model

    def _replace(self, retrieval: Retrieval) -> None:
        digest = hashlib.sha256(retrieval.space.encode())
        for _, array in sorted(self.scorer.state_dict().items()):
            digest.update(array.tobytes())
        self._retrieval = retrieval
        self.version = f"attention-{digest.hexdigest()[:8]}"


def _part(arrays: Mapping[str, NDArray[Any]], beginning: str) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(beginning): array
        for name, array in arrays.items()
        if name.startswith(beginning)
    }
