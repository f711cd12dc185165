"""Another model takes the place of the one that ranks, between two batches."""

import asyncio
import logging

from ranker.challenger import Challenger
from ranker.model import Model
from streams.agents.context import Context

log = logging.getLogger(__name__)


async def swap(context: Context, model: Model) -> None:
    """Rank by a model from the next batch on; until then all lists are the old one's.

    What its scorer learns from then on ranks only while it predicts better than what was published.

    Its vectors are put into the index in a thread, while no batch is learnt or answered and nobody
    else writes to the index: lists wait, heartbeats do not. What was learnt from outcomes goes
    with the model that learnt it.

    Args:
        context: Of the worker; nobody else writes to its index meanwhile.
        model: The one to rank by, warmed up.
    """
    async with context.ranking:
        before = context.model.version
        await asyncio.to_thread(model.install, context.index)
        model.scorer = Challenger(model.scorer)
        context.model = model
        context.outcomes.clear()
    context.meter.model.clear()
    context.meter.model.labels(model.version).set(1)
    log.info("model in use version=%s before=%s", model.version, before)
