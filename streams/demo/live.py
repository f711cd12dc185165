"""Events at the pace of people, and the lists that come back: how long does a shopper wait?"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from features.events import Event
from streams.consumer import RecommendationConsumer
from streams.lists import Recommendation
from streams.producer import EventProducer
from streams.settings import Settings

POLL_S = 0.2


@dataclass(slots=True)
class Heard:
    """A list, and when it came."""

    found: Recommendation
    at_s: float  # time.perf_counter()


class Listener:
    """Collects lists in the background, by the event that each one answers."""

    def __init__(self, settings: Settings) -> None:
        self._lists = RecommendationConsumer(settings)
        self._heard: dict[str, Heard] = {}
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._listen, name="lists", daemon=True)

    def __enter__(self) -> Self:
        self._lists.poll(POLL_S)  # connects: a wait for that is not a shopper's
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._lists.close()

    def answer(self, event_id: str) -> Heard | None:
        """Return the list that answers an event, if it came.

        Raises:
            RuntimeError: the lists can no longer be read.
        """
        if self._failure is not None:
            raise RuntimeError("recommendations can no longer be read") from self._failure
        return self._heard.get(event_id)

    def _listen(self) -> None:
        try:
            while not self._stop.is_set():
                for found in self._lists.poll(POLL_S):
                    self._heard[found.trigger.event_id] = Heard(found, time.perf_counter())
        except Exception as error:  # noqa: BLE001  told to whoever asks next
            self._failure = error


@dataclass(slots=True)
class Sent:
    """Events that went out at their pace, and when."""

    at_s: dict[str, float] = field(default_factory=dict)

    def waits_ms(self, listener: Listener) -> list[float]:
        """Return how long each event that was answered waited for its list, sorted."""
        heard = ((listener.answer(event_id), at_s) for event_id, at_s in self.at_s.items())
        return sorted((one.at_s - at_s) * 1000 for one, at_s in heard if one is not None)


def send_paced(producer: EventProducer, timed: Iterable[tuple[float, Event]]) -> Sent:
    """Send each event when its second has come.

    Args:
        producer: To send by.
        timed: Seconds from now and the event, in order of time.
    """
    sent = Sent()
    start = time.perf_counter()
    for due_s, event in timed:
        if (early_s := start + due_s - time.perf_counter()) > 0:
            time.sleep(early_s)
        sent.at_s[event.event_id] = time.perf_counter()
        producer.send(event)
    producer.flush()
    return sent


def wait_for(listener: Listener, event_ids: Sequence[str], within_s: float) -> list[str]:
    """Wait until every event is answered; return those that are not by the deadline."""
    deadline = time.perf_counter() + within_s
    missing = list(event_ids)
    while missing and time.perf_counter() < deadline:
        missing = [event_id for event_id in missing if listener.answer(event_id) is None]
        time.sleep(0.05 if missing else 0)
    return missing


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` (0..1) of an ordered sequence lies; 0.0 for none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
