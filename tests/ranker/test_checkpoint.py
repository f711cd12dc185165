"""Checkpoints: what goes in comes out, and nothing else is let in."""

import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from ranker.checkpoint import BadCheckpoint, Checkpoint, load_bytes, save_bytes

NAMES = ("popular", "forward", "cosine")
SAVED = save_bytes(
    Checkpoint(
        names=NAMES,
        item_ids=("lamp", "ünïcode", '"quoted"\n'),
        arrays={"w": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.asarray(7)},
        config={"dims": 2, "dropout": 0.2},
        metrics={"hr": 0.5},
    )
)
NUMBERS = st.floats(-1e9, 1e9, width=32)


@given(
    ids=st.lists(st.text(max_size=8).filter(lambda s: s.isprintable()), max_size=5),
    arrays=st.dictionaries(st.sampled_from("abcd"), st.lists(NUMBERS, max_size=6)),
    metrics=st.dictionaries(st.text(max_size=5), NUMBERS, max_size=3),
)
def test_what_is_saved_comes_back_and_equal_contents_give_equal_bytes(
    ids: list[str], arrays: dict[str, list[float]], metrics: dict[str, float]
) -> None:
    def made(*, turned: bool) -> Checkpoint:
        named = [(name, np.array(values, np.float32)) for name, values in arrays.items()]
        return Checkpoint(
            names=NAMES,
            item_ids=ids,
            arrays=dict(reversed(named) if turned else named),
            config={"dims": 3},
            metrics=dict(reversed(metrics.items()) if turned else metrics),
        )

    saved = save_bytes(made(turned=False))
    assert saved == save_bytes(made(turned=True))
    back = load_bytes(saved, NAMES)
    assert list(back.item_ids) == ids
    assert back.arrays.keys() == arrays.keys()
    for name, values in arrays.items():
        np.testing.assert_array_equal(back.arrays[name], np.array(values, np.float32))
    assert (back.config, back.metrics, tuple(back.names)) == ({"dims": 3}, metrics, NAMES)


@given(position=st.integers(0, len(SAVED) - 1), flip=st.integers(1, 255))
def test_no_byte_can_be_changed(position: int, flip: int) -> None:
    damaged = bytearray(SAVED)
    damaged[position] ^= flip
    with pytest.raises(BadCheckpoint):
        load_bytes(bytes(damaged), NAMES)


@given(length=st.integers(0, len(SAVED) - 1))
def test_a_part_is_refused(length: int) -> None:
    with pytest.raises(BadCheckpoint):
        load_bytes(SAVED[:length], NAMES)


@given(more=st.binary(min_size=1, max_size=20))
def test_more_is_refused(more: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        load_bytes(SAVED + more, NAMES)


@given(anything=st.binary(max_size=200))
def test_any_bytes_are_refused(anything: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        load_bytes(anything, NAMES)


def test_another_programs_safetensors_are_refused() -> None:
    theirs = safetensors.numpy.save({"w": np.ones(3, np.float32)}, {"headrace": "[1]"})
    with pytest.raises(BadCheckpoint, match="describes itself"):
        load_bytes(theirs, NAMES)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("popular", "forward"), r"do not exist here, \['cosine'\]"),
        ((*NAMES, "age"), r"lacks those that do, \['age'\]"),
        (("forward", "popular", "cosine"), "another order"),
    ],
)
def test_other_features_are_refused_by_name(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadCheckpoint, match=message):
        load_bytes(SAVED, names)


def test_another_format_is_refused() -> None:
    newer = safetensors.numpy.save({}, {"headrace": json.dumps({"format": 2})})
    with pytest.raises(BadCheckpoint, match="format 2"):
        load_bytes(newer, NAMES)
