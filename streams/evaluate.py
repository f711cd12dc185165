"""Score a recorded log by its protocol: predict first, then learn, through the worker's own steps.

Nothing looks ahead: a list is made by rows, index and weights that have not seen its event.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from features.domains import ONE_SHOP, Domains
from features.events import Click, Event, Search
from features.profile import Profile
from streams.configuration import configuration
from streams.data import BadData, DataSet
from streams.figures.curve import CurveOf
from streams.figures.outcome import outcome
from streams.figures.published import published
from streams.figures.result import Curve, Evaluation
from streams.figures.segments import Before, before
from streams.figures.tally import Tally
from streams.learner import WARM_EVENTS, Learner
from streams.replay import Answer

Progress = Callable[[int], None]
"""Called with the number of events that were just read."""

T = TypeVar("T")


def evaluate(
    data: DataSet,
    progress: Progress = lambda _: None,
    seed: int = 0,
    domains: Domains = ONE_SHOP,
    *,
    components: bool = False,
    diversity: float = 0.0,
) -> Evaluation:
    """Walk a data set by its protocol and return what was found.

    Args:
        data: The set.
        progress: Told of events as they are read.
        seed: Of everything random.
        domains: Those that events and items may name (see `Replay`).
        components: Whether to rank the candidates by every component alone, too.
        diversity: How much the items of a list shall differ, searches apart, 0..1.

    Returns:
        Among its figures `hr@k`, `mrr@k`, `ndcg@k`, `recall@k`, `precision@k`, `f1@k`, `coverage@k`
        and `novelty@k` (bits) for each k of the protocol, `accuracy` (the first item is the one
        taken), `auc`, `candidate_recall`, `calibration_error`, `predictions`, `events`, `seconds`,
        `events_per_s`, `list_ms_p50`, `list_ms_p99` and `configuration`, a hash.

    Raises:
        BadData: a file is not what the protocol says, or gives another number of predictions.
    """
    started = time.perf_counter()
    tally = Tally(data.protocol.k, components=components)
    learner = Learner(
        max(data.protocol.k),
        seed,
        hide_owned=data.leaves_out_owned(),
        domains=domains,
        diversity=diversity,
    )
    run = _Run(data, progress, tally, learner)
    {
        "next-item": run.next_item,
        "prequential": run.prequential,
        "search-click": run.search_click,
    }[data.protocol.kind]()
    promised = data.protocol.predictions
    if promised is not None and tally.predictions != promised:
        raise BadData(
            f"{data.path}: {tally.predictions} predictions were made, protocol.json promises "
            f"{promised}: the files and the protocol do not belong together"
        )
    seconds, list_ms = time.perf_counter() - started, tally.list_ms()
    return Evaluation(
        data=data.protocol.name,
        protocol=data.protocol.kind,
        seed=seed,
        k=max(data.protocol.k),
        figures={
            **tally.figures(run.touches()),
            "predictions": tally.predictions,
            "events": run.events,
            "seconds": round(seconds, 3),
            "events_per_s": round(run.events / seconds, 1),
            "list_ms_p50": _rounded(list_ms.p50),
            "list_ms_p99": _rounded(list_ms.p99),
            "configuration": configuration(domains, diversity),
        },
        segments=tally.segments(),
        curves=run.curves(),
        reliability=tally.reliability(),
        list_ms=list_ms,
        components=tally.components(),
        published=published(data.protocol.published),
    )


class _Run:
    """One walk through one data set."""

    def __init__(self, data: DataSet, progress: Progress, tally: Tally, learner: Learner) -> None:
        self.events = 0
        self._tally = tally
        self._data = data
        self._progress = progress
        self._curves = {"while learning": CurveOf(), "test, all frozen": CurveOf()}
        self._known: dict[int, Before] = {}  # by the number of the event; of one micro-batch
        self._learner = learner
        learner.replay.catalogue(data.items())

    def touches(self) -> dict[int, int]:
        """Return how often every item was touched, by its slot."""
        replay = self._learner.replay
        return {replay.index.slot(name): sum(row.touches) for name, row in replay.items.items()}

    def curves(self) -> tuple[Curve, ...]:
        """Return the curves that have a point."""
        made = (curve.curve(name) for name, curve in self._curves.items())
        return tuple(curve for curve in made if curve.points)

    def prequential(self) -> None:
        """Rank for every event, score those from `score_from` on, learn all."""
        first = self._data.first_scored()

        def wanted(number: int, event: Event, row: Profile) -> bool:
            if isinstance(event, Search) or number < min(first, WARM_EVENTS):
                return False
            if number >= first:
                self._note(number, event, row, event.item_id)
            return True

        for answer in self._learner.learn(self._read(self._data.events()), wanted):
            if not isinstance(answer.event, Search):
                self._judge(answer, answer.event.item_id, "while learning")

    def next_item(self) -> None:
        """Learn `train`, freeze, and rank for each event of `test` but every user's first."""
        count = sum(1 for _ in self._data.train())  # read twice, so that it is never all in memory
        for answer in self._learner.learn_whole(self._read(self._data.train()), count):
            if not isinstance(answer.event, Search):
                self._judge(answer, answer.event.item_id, "while learning")

        def wanted(number: int, event: Event, row: Profile) -> bool:
            if isinstance(event, Search) or not row.recent:
                return False
            self._note(number, event, row, event.item_id)
            return True

        for answer in self._learner.replay.test(self._read(self._data.test()), wanted):
            if not isinstance(answer.event, Search):
                self._judge(answer, answer.event.item_id, "test, all frozen")

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

        def wanted(number: int, event: Event, row: Profile) -> bool:
            if not isinstance(event, Search):
                return False
            if event.event_id in scored and event.event_id in clicks:
                self._note(number, event, row, clicks[event.event_id])
            return number > WARM_EVENTS or event.event_id in scored

        for answer in self._learner.learn(self._read(events), wanted):
            if answer.event.event_id in clicks:
                self._judge(answer, clicks[answer.event.event_id], "while learning")

    def _note(self, number: int, event: Event, row: Profile, taken: str) -> None:
        """Note what is known before an event that is to be scored."""
        self._known[number] = before(event, row, self._learner.replay.items.get(taken))

    def _judge(self, answer: Answer, taken: str, curve: str) -> None:
        """Look at a list with what its user then took; score it if it is to be."""
        slot = int(self._learner.replay.index.slots([taken])[0])
        found = outcome(answer, slot)
        self._curves[curve].add(found)
        known = self._known.pop(answer.number, None)
        if known is not None:
            self._tally.add(found, known)

    def _read(self, events: Iterable[T]) -> Iterator[T]:
        for event in events:
            self.events += 1
            self._progress(1)
            yield event


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
