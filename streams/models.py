"""Models for the features that this program computes."""

from pathlib import Path

import torch
from threadpoolctl import threadpool_limits

from features.vector import NAMES
from ranker.model import Model

# The matrices of one list or one step are small: more threads cost more than they bring, and equal
# weights from equal logs hold for equal numbers of threads only. Scale by workers.
torch.set_num_threads(1)
threadpool_limits(1)  # numpy's, whose waiting threads would spin besides


def new_model() -> Model:
    """Return a model that has learnt nothing and ranks by the generators' scores."""
    return Model(NAMES)


def first_model(path: Path | None) -> Model:
    """Return the model of a file, or a new one where there is none.

    Raises:
        BadCheckpoint: the file is damaged, or for other features than this program's.
        OSError: it cannot be read.
    """
    return new_model() if path is None else load_model(path.read_bytes())


def load_model(payload: bytes) -> Model:
    """Read the bytes of a model's file.

    Raises:
        BadCheckpoint: they are damaged, or for other features than this program's.
    """
    return Model.load(payload, NAMES)


def write_model(path: Path, model: Model) -> None:
    """Write a model's file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(model.save())
    part.replace(path)
