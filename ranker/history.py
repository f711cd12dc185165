"""What users did last, as an array."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranker.candidates import Request
from ranker.evidence import HISTORY


def history_slots(requests: Sequence[Request]) -> NDArray[np.int32]:
    """Return the slots of each request's history, (B, HISTORY), newest first, -1 = none."""
    history = np.full((len(requests), HISTORY), -1, np.int32)
    for b, request in enumerate(requests):
        length = min(len(request.history), HISTORY)
        history[b, :length] = request.history[:length]
    return history
