"""Bounds for what waits for a broker: pauses between attempts, and an end to a wait."""

import asyncio
from collections.abc import Coroutine
from typing import Any

METADATA_RETRY_S = 0.2


async def within(work: Coroutine[Any, Any, object], seconds: float) -> None:
    """Wait for some work, so long at most.

    `asyncio.wait_for` waits until what it cancels has ended. Faust's commit does not: it takes a
    cancel for that of the commit it waits for, and begins its own.

    Raises:
        TimeoutError: the work was not done by then, or somebody else cancelled it.
        Exception: what the work raised.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        task.cancel()  # done already, if all is well
    if not task.done() or task.cancelled():
        raise TimeoutError(f"not done within {seconds:g} s")
    task.result()


def be_patient(client: Any) -> None:
    """Let an aiokafka client pause after each failed attempt.

    It asks again at once otherwise, a thousand times a second, and logs each.
    """
    update = client._metadata_update  # noqa: SLF001  where both its loops come by

    async def patient(*args: Any) -> bool:
        updated: bool = await update(*args)
        if not updated:
            await asyncio.sleep(METADATA_RETRY_S)
        return updated

    client._metadata_update = patient  # noqa: SLF001
