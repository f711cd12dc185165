"""The models that were published: what holds when a worker starts, and what comes while it runs."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from aiokafka.structs import ConsumerRecord

from features.vector import NAMES
from ranker.checkpoint import BadCheckpoint
from ranker.model import Model
from streams.following import Follower
from streams.model_parts import Assembler, BadModel, Manifest, Whole
from streams.models import load_model
from streams.settings import Settings

KEPT = 2
"""Models in memory before one of them is loaded: the newest, and one in case that is none."""

Refused = Callable[[BadModel], None]


class ModelFeed:
    """Follows the `models` topic; a model that is not whole, or not for this program, is refused.

    Made inside a running event loop, which is its consumer's from then on. What takes long is done
    in a thread beside it.

    Args:
        settings: Broker, security and topic names.
        prepare: Makes a model quick to use, in a thread.
        refused: Told of each model that is not for this program.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        prepare: Callable[[Model], None] = lambda _: None,
        refused: Refused = lambda _: None,
    ) -> None:
        self.manifest: Manifest | None = None
        self._prepare = prepare
        self._refused = refused
        self._assembler = Assembler(NAMES)
        self._wholes: deque[Whole] = deque(maxlen=KEPT)
        self._next: Model | None = None
        self._follower = Follower(settings, settings.topics.models, self._take)

    async def start(self) -> None:
        """Read what the topic holds now; of several models the newest is loaded."""
        await self._follower.start()
        await self._load()

    async def follow(self) -> None:
        """Go on reading, until cancelled."""
        while True:
            await self._follower.poll()
            await self._load()

    async def stop(self) -> None:
        """Leave the broker."""
        await self._follower.stop()

    def take(self) -> Model | None:
        """Return the newest model that came since the last call, ready for use; else None."""
        model, self._next = self._next, None
        return model

    async def _take(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        for record in records:
            try:
                whole = self._assembler.take(record.key, record.value)
            except BadModel as error:
                self._refused(error)
            else:
                self._wholes.extend([whole] if whole else [])

    async def _load(self) -> None:
        """Load the newest of what was put together; where that is no model, the one before."""
        while self._wholes:
            whole = self._wholes.pop()
            try:
                self._next = await asyncio.to_thread(self._loaded, whole)
            except BadModel as error:
                self._refused(error)
            else:
                self.manifest = whole.manifest
                self._wholes.clear()

    def _loaded(self, whole: Whole) -> Model:
        try:
            model = load_model(whole.payload())
        except BadCheckpoint as error:
            raise BadModel("checkpoint", f"model {whole.manifest.model_id}: {error}") from error
        self._prepare(model)
        return model
