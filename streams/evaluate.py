"""Score a recorded log by its protocol: predict first, then learn, through the worker's own steps.

Nothing looks ahead: a list is made by rows, index and weights that have not seen its event.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from features.domains import ONE_SHOP, Domains
from features.events import Click, Event, Search
from features.profile import Profile
from ranker.metrics import coverage, f1, hit_rate, mrr, ndcg, novelty, precision, recall
from ranker.rank import Ranking
from streams.configuration import configuration
from streams.data import BadData, DataSet
from streams.learner import WARM_EVENTS, Learner, taught_by

Progress = Callable[[int], None]
"""Called with the number of events that were just read."""
Figures = dict[str, Any]
"""Numbers by name, and the configuration that they were measured with."""

METRICS = {
    "hr": hit_rate,
    "mrr": mrr,
    "ndcg": ndcg,
    "recall": recall,
    "precision": precision,
    "f1": f1,
}
"""Name -> metric of positions; every list has one item that is right."""

T = TypeVar("T")


def evaluate(
    data: DataSet,
    progress: Progress = lambda _: None,
    seed: int = 0,
    domains: Domains = ONE_SHOP,
) -> Figures:
    """Walk a data set by its protocol and return its figures.

    Args:
        data: The set.
        progress: Told of events as they are read.
        seed: Of everything random.
        domains: Those that events and items may name (see `Replay`).

    Returns:
        `hr@k`, `mrr@k`, `ndcg@k`, `recall@k`, `precision@k`, `f1@k`, `coverage@k` and `novelty@k`
        (bits) for each k of the protocol, `predictions`, `events`, `seconds`, `events_per_s` and
        `configuration`, a hash.

    Raises:
        BadData: a file is not what the protocol says, or gives another number of predictions.
    """
    started = time.perf_counter()
    run = _Run(data, progress, seed, domains)
    {
        "next-item": run.next_item,
        "prequential": run.prequential,
        "search-click": run.search_click,
    }[data.protocol.kind]()
    promised = data.protocol.predictions
    if promised is not None and len(run.positions) != promised:
        raise BadData(
            f"{data.path}: {len(run.positions)} predictions were made, protocol.json promises "
            f"{promised}: the files and the protocol do not belong together"
        )
    seconds = time.perf_counter() - started
    return run.figures() | {
        "predictions": len(run.positions),
        "events": run.events,
        "seconds": round(seconds, 3),
        "events_per_s": round(run.events / seconds, 1),
        "configuration": configuration(domains),
    }


class _Run:
    """One walk through one data set."""

    def __init__(self, data: DataSet, progress: Progress, seed: int, domains: Domains) -> None:
        self.positions: list[int] = []
        self.events = 0
        self._data = data
        self._progress = progress
        self._lists: list[Sequence[int]] = []
        self._learner = Learner(
            max(data.protocol.k), seed, hide_owned=data.leaves_out_owned(), domains=domains
        )
        self._learner.replay.catalogue(data.items())

    def figures(self) -> dict[str, float]:
        """Return the metrics of all scored lists."""
        positions = np.array(self.positions, np.int64)
        replay = self._learner.replay
        touches = {replay.index.slot(name): sum(row.touches) for name, row in replay.items.items()}
        total = max(1, sum(touches.values()))
        share = {slot: count / total for slot, count in touches.items()}
        figures: dict[str, float] = {}
        for k in self._data.protocol.k:
            figures |= {f"{name}@{k}": metric(positions, k) for name, metric in METRICS.items()}
            figures[f"coverage@{k}"] = coverage(self._lists, len(replay.items), k)
            figures[f"novelty@{k}"] = novelty(self._lists, share, k)
        return {name: round(value, 5) for name, value in figures.items()}

    def prequential(self) -> None:
        """Rank for every event, score those from `score_from` on, learn all."""
        first = self._data.first_scored()

        def wanted(number: int, event: Event, _: Profile) -> bool:
            return number >= min(first, WARM_EVENTS) and not isinstance(event, Search)

        for answer in self._learner.learn(self._read(self._data.events()), wanted):
            if answer.number >= first and not isinstance(answer.event, Search):
                self._score(answer.ranking, answer.event.item_id)

    def next_item(self) -> None:
        """Learn `train`, freeze, and rank for each event of `test` but every user's first."""
        train = list(self._data.train())
        for _ in self._learner.learn(self._read(train), taught_by(len(train))):
            pass
        self._learner.finish()
        tested = self._read(self._data.test())
        for answer in self._learner.replay.test(tested, lambda _, __, row: bool(row.recent)):
            if not isinstance(answer.event, Search):
                self._score(answer.ranking, answer.event.item_id)

    def search_click(self) -> None:
        """Rank for every search, score those in `score_searches` by their click, learn all."""
        first, last = self._data.protocol.score_searches or (1, 0)
        events = list(self._data.events())
        searches = [event.event_id for event in events if isinstance(event, Search)]
        scored = set(searches[first - 1 : last])
        clicks = {
            event.search_id: event.item_id
            for event in reversed(events)  # of several clicks the first counts
            if isinstance(event, Click) and event.search_id is not None
        }

        def wanted(number: int, event: Event, _: Profile) -> bool:
            known = number > WARM_EVENTS or event.event_id in scored
            return known and isinstance(event, Search)

        for answer in self._learner.learn(self._read(events), wanted):
            event_id = answer.event.event_id
            if event_id in scored and event_id in clicks:
                self._score(answer.ranking, clicks[event_id])

    def _score(self, ranking: Ranking, taken: str) -> None:
        slots = ranking.slots.tolist()
        target = int(self._learner.replay.index.slots([taken])[0])
        self.positions.append(slots.index(target) + 1 if target in slots else 0)
        self._lists.append(slots)

    def _read(self, events: Iterable[T]) -> Iterator[T]:
        for event in events:
            self.events += 1
            self._progress(1)
            yield event
