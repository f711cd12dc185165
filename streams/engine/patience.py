"""A pause between attempts to reach a broker that is gone."""

import asyncio
from typing import Any

METADATA_RETRY_S = 0.2


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
