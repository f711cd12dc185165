"""Learn all that a log can teach, in its order: rows, ranker weights and the attention model.

The attention model is fitted from time to time on all that was read before, never on what it is
asked next.
"""

from collections.abc import Iterable, Iterator

from features.attributes import token_ids, tokens
from features.domains import ONE_SHOP, Domains
from features.events import Event, Search
from features.profile import Profile
from streams.models import new_model
from streams.replay import BATCH, Answer, Replay, Wanted
from streams.touched import Touched

FIRST_FIT = 3_000
"""Touches before the attention model is fitted for the first time."""
GROWTH = 1.3
"""It is fitted again whenever the log has grown so many fold, so that all fits together cost a
constant number of passes over the log."""
BETWEEN_EPOCHS = 2
"""Passes of a fit on the way; the model goes on from where it was."""
LAST_EPOCHS = 4
"""Passes of the last fit, after which the model is used as it is."""
WARM_EVENTS = 1_000
"""Events before the first list: until then there is next to nothing to rank by."""
REHEARSED = 0.1
"""Part of a whole log, its end, that teaches the scorer beside an attention model as good as the
last one will be: fitted on all before it with as many passes, and new to what it is asked."""
LEARNT_LISTS = REHEARSED_LISTS = 100_000
"""Lists that are made only to teach the scorer, before the rehearsal and in it, about so many at
most: of a longer log evenly spaced events are asked for."""


def taught_by(events: int) -> Wanted:
    """Return which events of a whole log of so many the scorer is taught by."""
    rehearsal = _rehearsal_of(events)
    before = max(1, round(rehearsal / LEARNT_LISTS))
    within = max(1, round((events - rehearsal) / REHEARSED_LISTS))

    def wanted(number: int, event: Event, row: Profile) -> bool:
        stride = within if number > rehearsal else before
        searched = isinstance(event, Search)
        return number > WARM_EVENTS and number % stride == 0 and (searched or bool(row.recent))

    return wanted


def _rehearsal_of(events: int) -> int:
    """Return after how many events of a whole log its rehearsal begins: with a micro-batch."""
    return (events - int(events * REHEARSED)) // BATCH * BATCH


class Learner:
    """Reads a log from its beginning.

    Args:
        k: Length of the lists.
        seed: Of everything random.
        hide_owned: No list shows what its user has.
        domains: As in `Replay`, like what follows.
        diversity: Of the lists.
    """

    def __init__(
        self,
        k: int,
        seed: int,
        *,
        hide_owned: bool = False,
        domains: Domains = ONE_SHOP,
        diversity: float = 0.0,
    ) -> None:
        self.model = new_model()
        self.replay = Replay(
            self.model, k, hide_owned=hide_owned, domains=domains, diversity=diversity
        )
        self._seed = seed
        self._touched = Touched()
        self._next_fit = FIRST_FIT
        self._rehearsal = 0  # after so many events it begins; 0: the log has no end that is known

    def learn(self, events: Iterable[Event], wanted: Wanted) -> Iterator[Answer]:
        """Rank for the events that are wanted, then learn every event (see `Replay.learn`)."""
        return self.replay.learn(self._remembered(events), wanted)

    def learn_whole(self, events: Iterable[Event], count: int) -> Iterator[Answer]:
        """Learn a log to its end, for what comes after it, and rank to teach the scorer alone.

        Args:
            events: The log.
            count: How many there are.
        """
        self._rehearsal = _rehearsal_of(count)
        yield from self.learn(events, taught_by(count))
        self._fit(LAST_EPOCHS)

    def _remembered(self, events: Iterable[Event]) -> Iterator[Event]:
        for number, event in enumerate(events):
            if number % BATCH == 0:  # all that was read is learnt, and none of it is asked again
                self._fit_when_due(number)
            if not isinstance(event, Search) and event.consent is not False:
                self._touched.add(event)
            yield event

    def _fit_when_due(self, number: int) -> None:
        """Fit the attention model where so many events of the log make it due."""
        if number and number == self._rehearsal:
            self._fit(LAST_EPOCHS)
        elif number < self._rehearsal < number * GROWTH:
            return  # the rehearsal comes first
        elif len(self._touched) >= self._next_fit:
            self._fit(BETWEEN_EPOCHS)

    def _fit(self, epochs: int) -> None:
        contents = {
            item_id: token_ids(tokens(row.item))
            for item_id, row in self.replay.items.items()
            if row.item is not None
        }
        histories = self._touched.histories()
        self.model.fit(histories, contents, epochs=epochs, seed=self._seed)
        self.model.install(self.replay.index)
        self._next_fit = int(len(self._touched) * GROWTH)
