"""How often items are taken, beside how often the ranker expected it: where it is wrong of an item.

An outcome tells of every candidate of its list. What the ranker expected of it was the candidate's
share; one of them was taken. Both are counted for each item, and fade together: some
`REMEMBERED` times that an item was taken, or should have been, are remembered of it. The logarithm
of their ratio is 0 where the ranker was right, or where little is known.

Source: clicks over expected clicks (COEC), Zhang and Jones, Comparing Click Logs and Editorial
Labels for Training Query Rewriting, 2007; here the ranker's own share is what was to be expected.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ranker._jit import inlined, kernel

REMEMBERED = 200.0
DOUBT = 5.0  # times that every item was taken, and expected to be, before anything was seen


@kernel
def see_outcomes(
    taken: NDArray[np.float32],
    expected: NDArray[np.float32],
    slots: NDArray[np.int32],
    shares: NDArray[np.float32],
    targets: NDArray[np.int64],
) -> None:
    """Count what came of B lists, one after the other.

    Args:
        taken: (cap,) of each slot, 0..`REMEMBERED`; written to, as is what follows.
        expected: likewise.
        slots: (B, C) candidates, padded with -1.
        shares: (B, C) of each candidate, 0..1.
        targets: (B,) position of the candidate that was taken, -1 = none: the list says nothing.
    """
    for b in range(len(targets)):
        if targets[b] < 0:
            continue
        for i in range(slots.shape[1]):
            slot, share = slots[b, i], shares[b, i]
            if slot < 0:
                continue
            hit = np.float32(1.0) if i == targets[b] else np.float32(0.0)
            kept = np.float32(1.0) - max(share, hit) / np.float32(REMEMBERED)
            taken[slot] = kept * taken[slot] + hit
            expected[slot] = kept * expected[slot] + share


@inlined
def over_expected(taken: np.float32, expected: np.float32) -> float:
    """Return ln of how many times as often as expected an item was taken."""
    return math.log((taken + np.float32(DOUBT)) / (expected + np.float32(DOUBT)))
