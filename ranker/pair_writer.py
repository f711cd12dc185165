"""What many rows say that they followed, written into the pairs of an index at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import kernel
from ranker.pairs import PASSAGE_WEIGHT, Pairs, amend_pairs, put_pairs


class Told(NamedTuple):
    """What B rows say that they followed, one after the other: S sources in all."""

    rows: NDArray[np.int32]  # (B,) distinct slots
    partial: NDArray[np.bool_]  # (B,) whether what is told is not all of it; then each source once
    lengths: NDArray[np.int64]  # (B,) sources of each
    sources: NDArray[np.int32]  # (S,) slots
    weights: NDArray[np.float32]  # (S, 3) as in `put_pairs`, but for the scale
    scales: NDArray[np.float32]  # (B,) turn them into weights as of the landmark


@kernel
def add_up(
    named_by: NDArray[np.int64],
    number: int,
    sources: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> int:
    """Add up, in place, what is told of one source in several places; its first one stays.

    Args:
        named_by: see `Pairs`.
        number: from here on numbers were not used yet; this takes as many as there are sources.
        sources: slots, (S,).
        weights: (S, 3) as in `put_pairs`.

    Returns:
        how many distinct sources there are, at the front.
    """
    count = 0
    for i in range(len(sources)):
        place = named_by[sources[i]] - number
        if place < 0:
            named_by[sources[i]] = number + count
            sources[count] = sources[i]
            weights[count] = weights[i]
            count += 1
        else:
            weights[place] += weights[i]
    return count


@kernel
def _put_rows(pairs: Pairs, told: Told, kept: NDArray[np.int64], number: int) -> None:
    begin = 0
    for i in range(len(told.rows)):
        end = begin + kept[i]
        sources, weights = told.sources[begin:end], told.weights[begin:end]
        if told.partial[i]:
            amend_pairs(pairs, told.rows[i], sources, weights)
        else:
            put_pairs(pairs, told.rows[i], number + i, sources, weights)
        begin += told.lengths[i]


class PairWriter:
    """Writes what rows say into the pairs of one index."""

    def __init__(self) -> None:
        self._named = 1  # from here on numbers were not used yet; see `Pairs.named_by`

    def put(self, pairs: Pairs, told: Told) -> None:
        """Replace all, or some, of what rows say they followed: `put_pairs` and `amend_pairs`.

        What a whole row tells of one source in several places adds up, and the closest stay.

        Args:
            pairs: of all items.
            told: row after row; sources and weights are written to.
        """
        kept = told.lengths.copy()
        ends = np.cumsum(told.lengths)
        for i in np.flatnonzero(~told.partial & (told.lengths > 0)).tolist():
            part = slice(ends[i] - told.lengths[i], ends[i])
            kept[i] = self._summed(pairs, told.sources[part], told.weights[part], told.scales[i])
        scales = np.where(told.partial, told.scales, np.float32(1))  # the others have been scaled
        told.weights[:] *= np.repeat(scales, told.lengths)[:, None]
        _put_rows(pairs, told, kept, self._named)
        self._named += len(kept)

    def _summed(
        self,
        pairs: Pairs,
        sources: NDArray[np.int32],
        weights: NDArray[np.float32],
        scale: np.float32,
    ) -> int:
        """Add up and scale what a whole row tells; return how many stand in front, the closest."""
        count = add_up(pairs.named_by, self._named, sources, weights)
        self._named += len(sources)
        weights[:count] *= scale
        width = pairs.sources.shape[1]
        if count > width:  # an item's owner prunes with slack
            closeness = weights[:count, 0] + np.float32(PASSAGE_WEIGHT) * weights[:count, 1]
            closest = np.sort(np.argpartition(-closeness, width)[:width])
            sources[:width], weights[:width] = sources[closest], weights[closest]
        return int(min(count, width))
