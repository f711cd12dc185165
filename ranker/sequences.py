"""Users' histories as the attention model is taught them: cut into windows that it can read."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Ints = NDArray[np.int64]


class Told(NamedTuple):
    """What one user touched, in time order."""

    rows: NDArray[np.integer]  # (n,) of the item table, from 1
    manners: NDArray[np.int8]  # (n,) as in `ranker.history.History`


class Windows(NamedTuple):
    """Where W training windows lie in long arrays of events.

    Position p of a window is an input if begin <= p < stop, and events[p + 1] is to be predicted
    from it if first <= p; what comes before `first` is context, another window learns it.
    """

    events: _Ints  # (E,) rows of the item table, user after user
    manners: NDArray[np.int8]  # (E,) how each came
    begin: _Ints  # (W,)
    first: _Ints  # (W,)
    stop: _Ints  # (W,)

    @property
    def targets(self) -> _Ints:
        """Count what each window predicts, (W,)."""
        return self.stop - self.first


def cut(sequences: Sequence[Told], history: int) -> Windows:
    """Cut histories into windows of at most `history` inputs.

    Windows of a long history overlap by half, and every event but a user's first is a target once.
    """
    told = [sequence for sequence in sequences if len(sequence.rows) > 1]
    bounds: list[tuple[int, int, int]] = []
    offset = 0
    for sequence in told:
        inputs = len(sequence.rows) - 1
        starts = [0, *range(history, inputs, max(1, history // 2))]
        for start, end in zip(starts, [*starts[1:], inputs], strict=True):
            bounds.append((offset + max(0, end - history), offset + start, offset + end))
        offset += len(sequence.rows)
    events = np.concatenate([np.empty(0, np.int64), *(one.rows for one in told)])
    manners = np.concatenate([np.empty(0, np.int8), *(one.manners for one in told)])
    return Windows(events, manners, *np.array(bounds, np.int64).reshape(-1, 3).T)
