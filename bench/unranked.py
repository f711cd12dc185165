"""The worker as it is, but that it makes no list: what ranking costs is the difference."""

from streams.agents import users
from streams.agents.context import Context
from streams.cli import app
from streams.steps import UserOutcome


async def _no_lists(
    context: Context,  # noqa: ARG001  as what it stands in for
    decoded: users.Decoded,  # noqa: ARG001
    outcome: UserOutcome,  # noqa: ARG001
) -> list[tuple[bytes, bytes]]:
    return []


users._lists = _no_lists  # noqa: SLF001  no setting turns lists off: they are what a worker is for

if __name__ == "__main__":
    app()
