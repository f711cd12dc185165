"""The arrays of an index: growth loses nothing, and what is read together stays together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranker.columns import Columns, doubled, new_columns

CAPACITY, NEIGHBOURS, FACTORS, DIMS = 6, 4, 3, 5


def arrays(columns: Columns) -> dict[str, NDArray[Any]]:
    return columns._asdict()


def test_growth_keeps_every_row_and_adds_empty_ones() -> None:
    rng = np.random.default_rng(0)
    columns = arrays(before := new_columns(CAPACITY, NEIGHBOURS, FACTORS, DIMS))
    for rows in columns.values():
        rows[...] = rng.integers(0, 100, rows.shape)
    grown = arrays(doubled(before))
    for name, old in columns.items():
        new = grown[name]
        assert (new.shape, new.dtype) == ((2 * CAPACITY, *old.shape[1:]), old.dtype), name
        np.testing.assert_array_equal(new[:CAPACITY], old, err_msg=name)
        assert not new[CAPACITY:].any(), name


def test_no_column_lies_on_another() -> None:
    columns = arrays(doubled(new_columns(CAPACITY, NEIGHBOURS, FACTORS, DIMS))).values()
    for number, rows in enumerate(columns, 1):
        rows[...] = number
    for number, rows in enumerate(columns, 1):
        assert (rows == np.array(number).astype(rows.dtype)).all()


def test_what_a_candidate_is_judged_by_lies_together_after_growth_too() -> None:
    grown = arrays(doubled(new_columns(CAPACITY, NEIGHBOURS, FACTORS, DIMS)))
    judged = ["popularity", "popularity_ts", "price", "category", "leaf", "brand", "price_band"]
    judged += ["leads", "taken", "expected"]
    starts = [grown[name].__array_interface__["data"][0] for name in judged]
    assert {grown[name].strides[0] for name in judged} == {64}
    assert max(starts) - min(starts) < 64
