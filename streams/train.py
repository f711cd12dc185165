"""The ranker's first weights: a log is walked as `headrace evaluate` walks it."""

from collections.abc import Callable, Iterable, Sequence

from features.domains import ONE_SHOP, Domains
from features.events import Event, Item
from ranker.model import Model
from streams.learner import Learner

K = 20
"""Length of the lists that teach; what is learnt does not depend on it."""


def train(
    items: Iterable[Item],
    events: Sequence[Event],
    *,
    seed: int = 0,
    domains: Domains = ONE_SHOP,
    progress: Callable[[], None] = lambda: None,
) -> Model:
    """Return a model that has learnt from a log. Equal arguments give equal weights.

    Args:
        items: The catalogue.
        events: The log, in time order.
        seed: Of everything random.
        domains: Those that events and items may name (see `streams.replay.Replay`).
        progress: Called after each event that was ranked for.
    """
    learner = Learner(K, seed, domains=domains)
    learner.replay.catalogue(items)
    for _ in learner.learn_whole(events, len(events)):
        progress()
    return learner.model
