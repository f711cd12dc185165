"""Build the Faust app of a worker from its settings: the one place where the parts meet."""

import asyncio
import logging

import faust

from features.levels import CategoryLevels
from ranker.model import Model
from streams import engine
from streams.agents import items, users
from streams.agents.context import Context
from streams.agents.swapping import swap
from streams.control import Control
from streams.health import Health
from streams.index import IndexFeed, index_of, levels_of
from streams.metrics import Meter
from streams.model_feed import ModelFeed
from streams.model_parts import BadModel
from streams.outcomes import Outcomes
from streams.recommend import warm_up
from streams.security import faust_credentials
from streams.settings import Settings
from streams.settings_domains import domains_of

BATCH_RECORDS = 2_048
"""Records handled at once; all they bring is in memory until it is sent."""

log = logging.getLogger(__name__)


def build(settings: Settings, model: Model, meter: Meter) -> tuple[faust.App, Health]:
    """Return the app of one worker, ready to be run, and what tells how it is.

    Args:
        settings: Of the worker; its topics exist (see `streams.admin.check`).
        model: What ranks until, or unless, one was published.
        meter: What is counted.
    """
    app = faust.App(
        settings.app_id,
        broker=[f"batch://{server}" for server in settings.servers],
        **engine.app_options(
            data_dir=settings.data_dir,
            worker_id=settings.worker_id,
            credentials=faust_credentials(settings),
            compression=settings.compression,
            fetch_max_bytes=settings.fetch_max_bytes,
            batch_records=BATCH_RECORDS,
            standby_replicas=settings.standby_replicas,
        ),
    )
    memory = engine.Memory(settings.block_cache_mb)
    topics = settings.topics
    index = index_of(settings)
    levels = levels_of(settings)
    meter.index_items.set_function(lambda: len(index))
    meter.categories.set_function(lambda: len(levels))
    context = Context(
        settings=settings,
        index=index,
        model=model,
        meter=meter,
        recommendations=engine.Output(app, topics.recommendations),
        item_signals=engine.Output(app, topics.item_signals),
        dead_letters=engine.Output(app, topics.dead_letters),
        domains=domains_of(settings.domains),
        outcomes=Outcomes(settings.learn_lists),
    )
    meter.waiting.set_function(lambda: len(context.outcomes))
    users.attach(app, engine.table(app, "users", topics.user_state, memory), context)
    items.attach(app, engine.table(app, "items", topics.item_state, memory), context)
    _follow_broadcasts(app, context, levels)
    watch = engine.watch(app, stall_s=settings.stall_s, expecting=context.ready.is_set)
    meter.observe(watch)
    meter.worker.labels(settings.worker_id or "").set(1)
    app.tables.add_dependency(Control(app, settings.data_dir))
    return app, Health(watch, settings.stall_s, context.ready.is_set)


def _follow_broadcasts(app: faust.App, context: Context, levels: CategoryLevels) -> None:
    """Follow items and models for as long as the worker lives; one that cannot must end."""

    @app.task  # type: ignore[untyped-decorator]  # faust ships no types
    async def follow_broadcasts() -> None:
        items = IndexFeed(context.settings, context.index, levels)

        def refused(error: BadModel) -> None:
            log.error("model refused reason=%s, the one before goes on: %s", error.reason, error)
            context.meter.refused_models.labels(error.reason).inc()

        models = ModelFeed(context.settings, prepare=warm_up, refused=refused)

        async def swap_in() -> None:
            if (model := models.take()) is not None:
                await swap(context, model)

        try:
            await models.start()
            await swap(context, models.take() or context.model)
            await items.start()  # rows say where new items lie in the space of the model in use
            context.ready.set()
            await asyncio.gather(items.follow(between=swap_in), models.follow())
        except Exception as error:
            log.critical("the topics of items and models cannot be followed", exc_info=error)
            await app.crash(error)
        finally:
            await models.stop()
            await items.stop()
