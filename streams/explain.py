"""What a ranking would use for a user and a candidate, out of a running system's tables."""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from features import attributes
from features.catalogue import Value, values
from features.cleaning import clean_event
from features.events import MAX_LIST, Click, Event, Item, Search
from features.item import ItemRow, decode_item, popular_at
from features.levels import CategoryLevels
from features.profile import Profile, decode_profile
from features.standing import standing
from ranker.items import ItemIndex
from ranker.model import Model
from streams import steps
from streams.changelog import newest_value
from streams.index import IndexFeed, index_of, levels_of
from streams.lists import Reason
from streams.model_feed import ModelFeed
from streams.models import first_model
from streams.portrait import leanings
from streams.recommend import reasons_of
from streams.settings import Settings


class Unknown(LookupError):
    """The workers know nothing of a user or an item."""


class Placed(Struct, frozen=True, kw_only=True):
    """What a list for the user makes of the item.

    Attributes:
        candidates: Items that the list chooses from.
        place: Of the item among them by score, from 1; None where it is none of them.
        score: Its softmax share, 0..1.
        features: The vector that the ranker sees, by name; empty where it is no candidate.
        reasons: Why it would be shown, the strongest first.
        model_version: What would rank.
    """

    candidates: int
    place: int | None
    score: float | None
    features: dict[str, Value]
    reasons: tuple[Reason, ...]
    model_version: str


class Explanation(Struct, frozen=True, kw_only=True):
    """The values of one moment.

    Attributes:
        at: Event time in ms that they hold at.
        user, item: Value of each feature of the row, by name.
        leanings: What the user leans to, by kind: each name's share, the heaviest first.
        standing: How the item stands in its category, by name.
        tokens: Id of each token of its catalogue entry (see `features.attributes`).
        numbers: What else that entry is in numbers, by name.
        query: The search that the list answers, "" for none.
        listed: What the list makes of the item; None where no item was asked for.
    """

    user_id: str
    at: int
    user: dict[str, Value]
    leanings: dict[str, dict[str, float]]
    item_id: str | None = None
    title: str | None = None
    item: dict[str, Value] | None = None
    standing: dict[str, Value] | None = None
    tokens: dict[str, int] | None = None
    numbers: dict[str, float] | None = None
    query: str = ""
    listed: Placed | None = None


def explain_user(settings: Settings, user_id: str, at: int | None) -> Explanation:
    """Return the values of a user.

    Args:
        settings: Broker, security and topic names.
        user_id: The user.
        at: Event time in ms; None for that of the user's newest event.

    Raises:
        Unknown: the workers have no row of the user.
        ConnectionError: no broker answers.
    """
    row = row_of(settings, user_id)
    at = row.newest_ts if at is None else at
    return Explanation(user_id=user_id, at=at, user=values("user", row, at), leanings=leanings(row))


def explain_item(
    settings: Settings, user_id: str, item_id: str, at: int | None, query: str
) -> Explanation:
    """Return the values of a user and an item, and what a list for the one makes of the other.

    Args:
        settings: Broker, security, topic names, and what shapes lists.
        user_id: The user.
        item_id: The item.
        at: Event time in ms; None for that of the user's newest event.
        query: Of a search that the list answers; "" for the list that follows a click.

    Raises:
        Unknown: the workers have no row of the user, or none of the item.
        ConnectionError: no broker answers.
        BadCheckpoint: the model's file is not one of ours.
    """
    row = row_of(settings, user_id)
    value = newest_value(settings, settings.topics.item_state, item_id)
    if value is None:
        raise Unknown(
            f"nothing is known of item {item_id!r}: no catalogue entry and no event named it, or "
            "the workers have not read them yet"
        )
    index, levels, model = asyncio.run(_broadcasts(settings))
    at = row.newest_ts if at is None else at
    return explained(
        (user_id, row),
        (item_id, decode_item(value)),
        index,
        levels,
        model,
        at=at,
        query=query,
        hide_bought=settings.hide_bought,
    )


def explained(
    user: tuple[str, Profile],
    item: tuple[str, ItemRow],
    index: ItemIndex,
    levels: CategoryLevels,
    model: Model,
    *,
    at: int,
    query: str = "",
    hide_bought: bool = False,
) -> Explanation:
    """Return the values of a user and an item: the list's are computed by ranking a list.

    Args:
        user: Id and row.
        item: Id and row.
        index: All items; their rows hold every event of the user's.
        levels: Statistics of all items.
        model: What ranks.
        at: Event time of the list in ms.
        query: Of a search; "" for none.
        hide_bought: As the setting of that name.
    """
    (user_id, row), (item_id, item_row) = user, item
    domain = index.domain_of(item_id)
    half_lives_ms = index.half_lives_ms[index.domain_named(domain)].tolist()
    item_row = popular_at(item_row, at, half_lives_ms)
    event = _event(user_id, item_id, at, query, domain)
    hidden = steps.bought(row) if hide_bought else ()
    entry = item_row.item or Item(item_id=item_id)
    told = attributes.tokens(entry)
    ids = attributes.token_ids(told).tolist()
    in_numbers = attributes.numbers(entry, levels).tolist()
    return Explanation(
        user_id=user_id,
        at=at,
        user=values("user", row, at),
        leanings=leanings(row),
        item_id=item_id,
        title=None if item_row.item is None else item_row.item.title,
        item=values("item", item_row, at),
        standing=values("standing", standing(item_row, levels), at),
        tokens={f"{one.namespace} {one.text}": of for one, of in zip(told, ids, strict=True)},
        numbers=dict(zip(attributes.NUMBERS, in_numbers, strict=True)),
        query=query,
        listed=_placed(row, event, item_id, index, model, hidden=hidden),
    )


def row_of(settings: Settings, user_id: str) -> Profile:
    """Return the user's row.

    Raises:
        Unknown: the workers have none.
        ConnectionError: no broker answers.
    """
    value = newest_value(settings, settings.topics.user_state, user_id)
    if value is None:
        raise Unknown(
            f"nothing is known of user {user_id!r}: no event was theirs, or the workers have not "
            "read it yet"
        )
    return decode_profile(value)


async def _broadcasts(settings: Settings) -> tuple[ItemIndex, CategoryLevels, Model]:
    """Read the broadcasts of items and models as they are now, as a worker does when it starts."""
    index = index_of(settings)
    levels = levels_of(settings)
    items, models = IndexFeed(settings, index, levels), ModelFeed(settings)
    try:
        await models.start()
        model = models.take() or first_model(settings.model)
        model.install(index)  # first: rows say where new items lie in its space
        await items.start()
    finally:
        await models.stop()
        await items.stop()
    return index, levels, model


def _event(user_id: str, item_id: str, at: int, query: str, domain: str) -> Event:
    """Return an event that calls for the list; only its time, query and domain matter."""
    if query:
        search = Search(
            event_id="explain", user_id=user_id, query=query, ts=at, k=MAX_LIST, domain=domain
        )
        return clean_event(search)
    return Click(event_id="explain", user_id=user_id, item_id=item_id, ts=at)


def _placed(
    row: Profile,
    event: Event,
    item_id: str,
    index: ItemIndex,
    model: Model,
    *,
    hidden: Iterable[str],
) -> Placed:
    # The item rows hold all of the user's events: none is uncounted.
    request = steps.request(row, event, index, MAX_LIST, uncounted=0, hidden=hidden)
    ranked = steps.rank([request], index, model, explained=True)
    (slots,), (ranking,) = ranked.slots.tolist(), ranked.rankings
    slot = index.slot(item_id)
    if slot not in slots:
        return Placed(
            candidates=sum(one >= 0 for one in slots),
            place=None,
            score=None,
            features={},
            reasons=(),
            model_version=ranked.model_version,
        )
    place = ranking.slots.tolist().index(slot)
    return Placed(
        candidates=len(ranking.slots),
        place=place + 1,
        score=float(ranking.scores[place]),
        features=values("list", ranked.features[0, slots.index(slot)], event.ts),
        reasons=reasons_of(slot, ranking.reasons.numbers(place), index),
        model_version=ranked.model_version,
    )
