"""What the agents share: the index, the model, the outputs, the counters."""

import asyncio
from dataclasses import dataclass, field

from features.domains import Domains
from ranker.items import ItemIndex
from ranker.model import Model
from streams.engine import Output
from streams.metrics import Meter
from streams.outcomes import Outcomes
from streams.settings import Settings


@dataclass(slots=True)
class Context:
    """One worker's shared parts.

    Attributes:
        settings: Of this worker.
        index: All items, kept up by `streams.index.IndexFeed`.
        model: What ranks; replaced as a whole, by who holds `ranking`.
        meter: What is counted.
        recommendations: The lists that are sent.
        item_signals: What events say about items.
        dead_letters: Records that were not ours.
        domains: What `settings.domains` means.
        outcomes: Lists that were sent, until what came of them has taught the model's scorer.
        ranking: Held while a batch of events is learnt and answered.
        ready: Set once what the broadcasts of items and models held at the start is in use.
    """

    settings: Settings
    index: ItemIndex
    model: Model
    meter: Meter
    recommendations: Output
    item_signals: Output
    dead_letters: Output
    domains: Domains
    outcomes: Outcomes
    ranking: asyncio.Lock = field(default_factory=asyncio.Lock)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
