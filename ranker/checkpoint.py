"""A model in one blob of bytes: safetensors, with all that is needed to refuse what does not fit.

Equal contents give equal bytes, and every byte is covered by a checksum. Nothing in a blob is ever
executed: arrays are arrays, the rest is JSON.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError

FORMAT = 1  # grows when older readers could not read what is written
_KEY = "headrace"  # of the metadata in the safetensors header
_IDS = "item_ids"  # the array that holds them as JSON
_UNSIGNED = "0" * 64  # stands where the checksum will be
_LENGTH_BYTES = 8  # of the header, little endian, at the start of every safetensors file


class BadCheckpoint(ValueError):
    """Bytes that are no whole checkpoint, or one of another format, or for other features."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Checkpoint:
    """What a model is made of.

    Attributes:
        names: the features that the weights are of, in their order.
        item_ids: the items that the model has vectors of, in their order.
        arrays: all weights by name, of any shape and number type; `item_ids` is taken.
        config: how to put them together: numbers, text, nothing nested.
        metrics: how good the model was, by name.
    """

    names: Sequence[str]
    item_ids: Sequence[str] = ()
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


def save_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the checkpoint as a safetensors file with a checksum of all its bytes."""
    about = {
        "checksum": _UNSIGNED,
        "config": dict(checkpoint.config),
        "format": FORMAT,
        "metrics": dict(checkpoint.metrics),
        "names": list(checkpoint.names),
    }
    ids = json.dumps(list(checkpoint.item_ids), ensure_ascii=False).encode()
    arrays = {name: np.asarray(array, order="C") for name, array in checkpoint.arrays.items()}
    unsigned = safetensors.numpy.save(
        {**arrays, _IDS: np.frombuffer(ids, np.uint8)},
        metadata={_KEY: json.dumps(about, sort_keys=True)},  # one key: their order is random
    )
    digest = hashlib.sha256(unsigned).hexdigest()
    return unsigned.replace(_UNSIGNED.encode(), digest.encode(), 1)


def load_bytes(payload: bytes, names: Sequence[str]) -> Checkpoint:
    """Read what `save_bytes` wrote.

    Args:
        payload: the blob.
        names: the features that this program computes, in their order.

    Raises:
        BadCheckpoint: it is damaged, of another format, or its features are not `names`.
    """
    about = _about(payload)
    if about.get("format") != FORMAT:
        raise BadCheckpoint(
            f"the checkpoint has format {about.get('format')!r}, this program reads {FORMAT}: "
            "use the version that wrote it, or train anew"
        )
    _check_sum(payload, str(about.get("checksum")))
    if about["names"] != list(names):
        raise BadCheckpoint(_difference(about["names"], names) + "; train anew")
    try:
        arrays = safetensors.numpy.load(payload)
        item_ids = json.loads(arrays.pop(_IDS).tobytes())
    except (SafetensorError, KeyError, ValueError) as error:
        raise BadCheckpoint(f"the checkpoint cannot be read: {error}") from error
    return Checkpoint(
        names=about["names"],
        item_ids=item_ids,
        arrays=arrays,
        config=about["config"],
        metrics=about["metrics"],
    )


def _about(payload: bytes) -> dict[str, Any]:
    """Return our part of the header; safetensors shows it only of files, not of bytes."""
    length = int.from_bytes(payload[:_LENGTH_BYTES], "little")
    try:
        header = json.loads(payload[_LENGTH_BYTES : _LENGTH_BYTES + length])
        about = json.loads(header["__metadata__"][_KEY])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadCheckpoint(
            f"{len(payload)} bytes are not a whole checkpoint of ours: {error}"
        ) from error
    if not isinstance(about, dict):
        raise BadCheckpoint(f"the checkpoint describes itself as {about!r}, expected an object")
    return about


def _check_sum(payload: bytes, stated: str) -> None:
    unsigned = payload.replace(stated.encode(), _UNSIGNED.encode(), 1)
    found = hashlib.sha256(unsigned).hexdigest()
    if found != stated:
        raise BadCheckpoint(
            f"the checkpoint's checksum is {found}, but it states {stated}: "
            "it was damaged, fetch it again"
        )


def _difference(saved: Sequence[str], names: Sequence[str]) -> str:
    missing, extra = sorted(set(saved) - set(names)), sorted(set(names) - set(saved))
    if missing or extra:
        return (
            f"the checkpoint weighs features that do not exist here, {missing}, "
            f"and lacks those that do, {extra}"
        )
    return "the checkpoint's features come in another order"
