"""A look at one user: the row that the workers keep, its features, and the newest lists."""

from msgspec import Struct

from features.catalogue import Value, values
from features.profile import Profile
from streams.explain import row_of
from streams.gateway.parts import Parts
from streams.lists import Recommendation
from streams.portrait import Portrait, portray_user
from streams.settings import Settings


class Looked(Struct, frozen=True, kw_only=True):
    """What is known of a user.

    Attributes:
        user_id: Who.
        row: As `headrace state show` tells it.
        features: Of the row, by name, as of the user's newest event.
        lists: The newest of each domain, out of the gateway's copy.
    """

    user_id: str
    row: Portrait
    features: dict[str, Value]
    lists: tuple[Recommendation, ...]


async def looked_at(parts: Parts, user_id: str) -> Looked:
    """Look at a user.

    Raises:
        Problem: nothing is known of the user, somebody else looks something up, or Kafka is away.
    """
    row: Profile = await parts.lookups.run(row_of, parts.settings, user_id)
    return Looked(
        user_id=user_id,
        row=portray_user(user_id, row),
        features=values("user", row, row.newest_ts),
        lists=_lists(parts, parts.settings, user_id),
    )


def _lists(parts: Parts, settings: Settings, user_id: str) -> tuple[Recommendation, ...]:
    found = (parts.lists.newest(user_id, domain) for domain in settings.domains)
    return tuple(one for one in found if one is not None)
