"""Counts scored lists: what it holds is bounded by the catalogue, however many lists there are."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ranker import metrics
from streams.figures.calibration import Calibration
from streams.figures.components import Components
from streams.figures.outcome import Outcome
from streams.figures.rates import DIGITS, at_lengths
from streams.figures.result import Component, Reliability, Segment
from streams.figures.segments import GROUPS, Before, Segments
from streams.quality.result import Histogram
from streams.quality.sketches import Distribution

_LIST_MS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


class Tally:
    """Takes scored lists one by one.

    Args:
        ks: The lengths at which lists are scored.
        components: Whether to rank the candidates by every component alone, too.
    """

    def __init__(self, ks: Sequence[int], *, components: bool) -> None:
        self._ks = ks
        k = max(ks)
        self._positions = np.zeros(k + 1, np.int64)
        self._shown = np.zeros((len(ks), 1024), np.int64)  # by slot
        self._candidates = 0
        self._auc = 0.0
        self._segments = Segments(k, GROUPS)
        self._calibration = Calibration()
        self._components = Components(k) if components else None
        labels = ["under 0.1", *(f"{edge:g}+" for edge in _LIST_MS)]
        self._list_ms = Distribution("list", "Time to rank a list", "ms", _LIST_MS, labels)

    @property
    def predictions(self) -> int:
        """Lists so far."""
        return int(self._positions.sum())

    def add(self, found: Outcome, known: Before) -> None:
        """Take a list and what was known before it."""
        answer = found.answer
        self._positions[found.position] += 1
        self._show(answer.ranking.slots)
        if found.place >= 0:
            self._candidates += 1
            real = answer.slots >= 0
            taken = np.arange(len(real)) == found.place
            self._auc += metrics.auc(answer.shares[real].astype(np.float64), taken[real])
        self._segments.add(known, found.position)
        self._calibration.add(answer.ranking.scores, found.position)
        self._list_ms.add(answer.seconds * 1000)
        if self._components is not None:
            self._components.add(found)

    def figures(self, touches: Mapping[int, int]) -> dict[str, float]:
        """Return the metrics of all lists.

        Args:
            touches: Slot of every item that lists may show -> how often it was touched.
        """
        self._grow(max(touches, default=-1) + 1)
        share = np.zeros(self._shown.shape[1])
        share[list(touches)] = list(touches.values())
        share /= max(1.0, share.sum())
        figures = at_lengths(self._positions, self._ks)
        for k, shown in zip(self._ks, self._shown, strict=True):
            figures[f"coverage@{k}"] = metrics.coverage(shown, len(touches))
            figures[f"novelty@{k}"] = metrics.novelty(shown, share)
        figures |= {
            "auc": self._auc / self._candidates if self._candidates else 0.5,
            "candidate_recall": self._candidates / max(1, self.predictions),
            "calibration_error": self._calibration.error,
        }
        return {name: round(value, DIGITS) for name, value in figures.items()}

    def segments(self) -> tuple[Segment, ...]:
        """Return the metrics of parts of the lists."""
        return self._segments.result()

    def reliability(self) -> tuple[Reliability, ...]:
        """Return how often items were taken that were shown with what scores."""
        return self._calibration.bins()

    def components(self) -> tuple[Component, ...] | None:
        """Return what every component does alone; None where that was not asked for."""
        return None if self._components is None else self._components.result()

    def list_ms(self) -> Histogram:
        """Return how long ranking a list took, in ms."""
        return self._list_ms.histogram()

    def _show(self, slots: NDArray[np.int32]) -> None:
        self._grow(int(slots.max(initial=-1)) + 1)
        for k, shown in zip(self._ks, self._shown, strict=True):
            shown[slots[:k]] += 1  # no slot is twice in a list

    def _grow(self, size: int) -> None:
        if size > self._shown.shape[1]:
            more = max(size, 2 * self._shown.shape[1]) - self._shown.shape[1]
            self._shown = np.pad(self._shown, ((0, 0), (0, more)))
