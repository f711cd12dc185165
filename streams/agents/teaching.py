"""What becomes of lists that were sent: it teaches the ranker, and is counted."""

from collections.abc import Sequence

from features.events import Event
from streams.agents.context import Context


def teach(context: Context, events: Sequence[Event]) -> None:
    """Let events settle the lists that were sent before them, and teach the model's scorer.

    Args:
        context: Of the worker.
        events: Those of a batch that counted, in order. What was applied before is not among them,
            so a replay teaches nothing.
    """
    meter = context.meter
    for event in events:
        for settled in context.outcomes.see(event, context.index):
            meter.outcomes.labels(settled.surface).inc()
            if settled.place:
                meter.hits.labels(settled.surface).inc()
                meter.reciprocal_ranks.labels(settled.surface).inc(1 / settled.place)
    lesson = context.outcomes.learn(context.model.scorer, context.index)
    meter.learnt.inc(lesson.outcomes)
    meter.losses.inc(lesson.loss)
    meter.prevails.set(context.model.scorer.prevails)
