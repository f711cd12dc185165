"""One thread that looks at everything, for all viewers at once, and remembers."""

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from ranker.items import ItemIndex
from streams.clock import now_ms
from streams.dashboard import columns
from streams.dashboard.cluster import Cluster, Offsets
from streams.dashboard.flows import Flows
from streams.dashboard.popularity import Items, items_now
from streams.dashboard.readings import Reading, added
from streams.dashboard.ring import History
from streams.dashboard.workers import Workers
from streams.settings import Settings
from streams.settings_gateway import workers_of

EVERY_S = 2
"""How often it looks; less often where looks take more than `BUSY` of the time, but for all that
every `MOST_S`."""
BUSY = 0.05
MOST_S = 10.0
ITEMS_EVERY_S = 10.0
SWAPS = 50
"""Changes of models that are remembered."""
BRIDGED_S = 20
"""A look that comes later than the span after the last one also stands for the spans between: what
grew is its mean over all of them. Beyond so many seconds there is a gap."""
_KAFKA = "kafka"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class State:
    """What was seen last.

    Attributes:
        at_ms: When.
        offsets: Of Kafka; None before it has answered.
        trouble: Why Kafka does not answer, "" while it does.
        trouble_since_ms: Since when it does not.
        readings: What each worker says, or why it says nothing, by address.
        models: Versions of what ranks.
        names: What the worker at each address called itself, also when it was last heard of.
        swaps: When a model came into use, ms, and its version; the oldest first. The first was
            there when the dashboard began.
        items: What is popular.
    """

    at_ms: int = 0
    offsets: Offsets | None = None
    trouble: str = ""
    trouble_since_ms: int = 0
    readings: Mapping[str, Reading | str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    swaps: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=SWAPS))
    items: Items = field(default_factory=Items)

    @property
    def answering(self) -> list[Reading]:
        """The workers that answer."""
        return [one for one in self.readings.values() if isinstance(one, Reading)]


class Collector:
    """Looks again and again, once started, in a thread of its own.

    Whoever reads `state`, `history` or `rounds` holds `lock`.

    Args:
        settings: Of the gateway.
        index: All items. Somebody else writes to it meanwhile: an item may show an older count.
    """

    def __init__(self, settings: Settings, index: ItemIndex) -> None:
        self.settings = settings
        self.lock = threading.Lock()
        self.state = State()
        self.history = History(columns.COLUMNS, EVERY_S)
        self.rounds = 0
        self._index = index
        self._cluster = Cluster(settings)
        self._workers = Workers(
            workers_of(settings.gateway_dashboard_workers), settings.metrics_port
        )
        self.workers_known = self._workers.known
        self._sent: Flows[str, str] = Flows()
        self._counted: Flows[str, columns.Key] = Flows()
        self._before_s = 0.0
        self._items_at_s = -ITEMS_EVERY_S
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dashboard", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for that a moment."""
        self._leave.set()
        self._thread.join(EVERY_S)

    def look(self) -> None:
        """Look at everything once."""
        offsets, trouble = self._offsets()
        last = offsets or self.state.offsets
        readings = self._workers.look([] if last is None else [one.host for one in last.members])
        items = self._items()
        at_ms = now_ms()
        known: dict[str, float] = {}
        if offsets is not None:
            known |= self._sent.of(_KAFKA, at_ms / 1000, self._ends(offsets))
            known["lag"] = float(sum(offsets.lags.values()))
        known |= self._grown(readings, at_ms / 1000)
        with self.lock:
            self._note(at_ms, offsets, trouble, readings)
            if items is not None:
                self.state.items = items
            for moment_s in bridged(self._before_s, at_ms / 1000):
                self.history.add(moment_s, columns.row(known))
            self.rounds += 1
        self._before_s = at_ms / 1000

    def _run(self) -> None:
        while not self._leave.is_set():
            begun_s = time.monotonic()
            try:
                self.look()
            except Exception:
                log.exception("the dashboard could not look; it will try again")
            took_s = time.monotonic() - begun_s
            self._leave.wait(max(0.0, min(max(EVERY_S, took_s / BUSY), MOST_S) - took_s))
        self._cluster.close()
        self._workers.close()

    def _offsets(self) -> tuple[Offsets | None, str]:
        try:
            return self._cluster.look(), ""
        except ConnectionError as error:
            return None, str(error).partition("\n")[0]

    def _ends(self, offsets: Offsets) -> dict[str, float]:
        """Return how many records were ever sent to each kind of topic."""
        topics = self.settings.topics
        names = (*topics.events, topics.catalog, topics.recommendations, topics.dead_letters)
        kinds = dict(zip(names, columns.SENT, strict=True))
        sent = dict.fromkeys(columns.SENT, 0.0)
        for (topic, _), end in offsets.ends.items():
            if topic in kinds:
                sent[kinds[topic]] += end
        return sent

    def _grown(self, readings: Mapping[str, Reading | str], at_s: float) -> dict[str, float]:
        """Return what the workers' counters and tables say; nothing where none answers."""
        here = {a: one for a, one in readings.items() if isinstance(one, Reading)}
        flows = added(self._counted.of(a, at_s, one.counters) for a, one in here.items())
        self._counted.keep(list(here))
        known: dict[str, float] = {}
        if flows:
            known |= columns.grown(flows)
        if here:
            for table in next(iter(here.values())).rows:
                known[f"rows {table}"] = sum(one.rows[table] for one in here.values())
            known["size_bytes"] = sum(sum(one.size_bytes.values()) for one in here.values())
        return known

    def _items(self) -> Items | None:
        now_s = time.monotonic()
        if now_s - self._items_at_s < ITEMS_EVERY_S:
            return None
        self._items_at_s = now_s
        return items_now(self._index)

    def _note(
        self,
        at_ms: int,
        offsets: Offsets | None,
        trouble: str,
        readings: Mapping[str, Reading | str],
    ) -> None:
        state = self.state
        state.at_ms, state.readings = at_ms, readings
        if offsets is not None:
            state.offsets, state.trouble = offsets, ""
        else:
            state.trouble_since_ms = state.trouble_since_ms if state.trouble else at_ms
            state.trouble = trouble
        state.names = {
            address: one.worker_id if isinstance(one, Reading) else state.names.get(address, "")
            for address, one in readings.items()
        }
        models = frozenset(one.model for one in state.answering if one.model)
        for version in sorted(models - state.models):
            state.swaps.append((at_ms, version))
        state.models = models or state.models


def bridged(before_s: float, at_s: float) -> list[float]:
    """Return the moments that a look stands for: its own, and the spans missed since the last."""
    missed = at_s - before_s
    if not EVERY_S < missed <= BRIDGED_S:
        return [at_s]
    spans = range(int(before_s // EVERY_S) + 1, int(at_s // EVERY_S))
    return [*(float(span * EVERY_S) for span in spans), at_s]
