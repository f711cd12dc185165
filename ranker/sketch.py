"""Rows with a byte for each number: a first look at all of them that leaves few for a second one.

A row is nearly a step times its codes. How far it is from that is known, so the inner product of
two rows' codes says between which bounds that of the rows lies (Cauchy-Schwarz), and whoever looks
on where the upper bound is high enough misses nothing.

Source: uniform scalar quantisation, Gray and Neuhoff, Quantization, IEEE Trans. Inf. Theory 1998;
bounds before distances, Weber et al., VA-File, VLDB 1998.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel

STEP, ERROR, LENGTH = range(3)  # the columns of `Sketch.terms`
_LEVELS = 127  # codes lie in -_LEVELS.._LEVELS
_ROUNDING = 2.0**-23  # of sums in 32 bits, for each number of a row

_Floats = NDArray[np.float32]
_Codes = type[np.int8] | type[np.float32]


class Sketch(NamedTuple):
    """What is nearly I rows."""

    codes: NDArray[Any]  # (I, D) int8, or float32 where codes are the rows themselves
    terms: _Floats  # (I, 3) step; distance of the row from step x codes, at most; length of these


@cache
def fastest() -> _Codes:
    """Return the codes that this processor compares soonest.

    Bytes take a quarter to a half of the time where there are instructions for them; where torch
    knows of none, they are multiplied one by one.
    """
    import torch

    return np.int8 if torch.cpu.get_capabilities().get("avx2", False) else np.float32


def new_sketch(items: int, dims: int, codes: _Codes) -> Sketch:
    """Return one of rows that are all zero."""
    terms = np.zeros((items, 3), np.float32)
    return Sketch(np.zeros((items, dims), codes), terms)


def sketch_of(rows: _Floats, codes: _Codes) -> Sketch:
    """Return one of rows, (I, D)."""
    sketch = new_sketch(len(rows), rows.shape[1], codes)
    draw(sketch, rows, np.arange(len(rows)))
    return sketch


def draw(sketch: Sketch, rows: _Floats, slots: NDArray[np.int64]) -> None:
    """Write what some of the rows are now.

    Args:
        sketch: of them.
        rows: (I, D).
        slots: which.
    """
    _draw(sketch.codes, sketch.terms, rows, slots, sketch.codes.dtype == np.int8)


def multiply(codes: NDArray[Any], columns: NDArray[Any], products: NDArray[Any]) -> None:
    """Write the inner products of codes.

    Args:
        codes: of n rows, (n, D).
        columns: of B others, (D, B): few are packed for the product, not many.
        products: (n, B), int32 for bytes.
    """
    if codes.dtype == np.int8:
        import torch

        # Nothing else in torch or numpy adds products of bytes up in 32 bits.
        rows, others, out = map(torch.from_numpy, (codes, columns, products))
        torch._int_mm(rows, others, out=out)  # noqa: SLF001
    else:
        np.matmul(codes, columns, out=products)


@kernel
def _draw(
    codes: NDArray[Any], terms: _Floats, rows: _Floats, slots: NDArray[np.int64], coarse: bool
) -> None:
    # The product of rows, and bounds of it, are sums of 32 bits, and rounded likewise.
    slack = (rows.shape[1] + 8) * _ROUNDING
    for slot in slots:
        row, peak = rows[slot], np.float32(0.0)
        for j in range(len(row)):
            peak = max(peak, abs(row[j]))
        step = peak / np.float32(_LEVELS) if coarse and peak > 0.0 else np.float32(1.0)
        whole, length, left = 0.0, 0.0, 0.0
        for j in range(len(row)):
            code = np.rint(row[j] / step) if coarse else row[j]
            codes[slot, j] = code
            whole += row[j] ** 2
            length += (step * code) ** 2
            left += (row[j] - step * code) ** 2
        terms[slot, STEP] = step
        terms[slot, ERROR] = np.sqrt(left) + slack * np.sqrt(whole)
        terms[slot, LENGTH] = np.sqrt(length)
