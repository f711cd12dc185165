"""Users, items and a small shop without Kafka, for the tests of the steps."""

from collections.abc import Sequence
from itertools import islice

from msgspec import structs

from features.domains import ONE_SHOP, Domains
from features.events import Click, Event, Item
from features.item import ItemRow
from features.profile import Profile
from features.signals import Signals
from ranker.items import ItemIndex
from streams import steps
from streams.data import ONLINE_RETAIL
from streams.item_states import half_lives_of
from streams.lists import Recommendation
from streams.models import new_model
from streams.recommend import Asked, ranked_for, recommendations

SOURCE = 3
FACTORS = 16
MANY = 10_000
EVENTS = list(islice(ONLINE_RETAIL.events(), 300))
NOW = 1_700_000_000_000

MUGS = (
    Item(item_id="i0", title="Red mug", category=("Kitchen", "Mugs"), brand="Acme", price=5.0),
    Item(item_id="i1", title="Blue mug", category=("Kitchen", "Mugs"), brand="Zenith", price=0.1),
    Item(item_id="i2", title="Garden mug", category=("Garden",), brand="Acme", price=8.0),
    Item(item_id="i3", title="Mug"),
)


class World:
    """Users, items and what is on its way between them, as a log would keep it."""

    def __init__(self, domains: Domains = ONE_SHOP) -> None:
        self.domains = domains
        self.users: dict[str, Profile] = {}
        self.items: dict[str, ItemRow] = {}
        self.index = ItemIndex(domains=half_lives_of(domains))

    def users_learn(self, events: Sequence[Event], first_offset: int) -> steps.UserOutcome:
        offsets = range(first_offset, first_offset + len(events))
        return steps.learn_users(
            self.users, events, SOURCE, offsets, self.index, domains=self.domains
        )

    def items_learn(self, outcome: steps.UserOutcome, only: set[str] | None = None) -> None:
        messages = [
            (item_id, Signals(SOURCE, tuple(entries)))
            for item_id, entries in outcome.signals.items()
            if only is None or item_id in only
        ]
        self.items |= steps.learn_items(
            self.items,
            messages,
            neighbours=MANY,
            factors=FACTORS,
            seed=(0, 0),
            domains=self.domains,
        )

    def state(self) -> tuple[dict[str, Profile], dict[str, ItemRow]]:
        """Return rows without their factors, which are learnt asynchronously."""
        return (
            {k: structs.replace(v, factors=b"", bias=0.0) for k, v in self.users.items()},
            {k: structs.replace(v, factors=b"", bias=0.0) for k, v in self.items.items()},
        )


def undisturbed(events: Sequence[Event]) -> World:
    world = World()
    outcome = world.users_learn(events, 0)
    world.items_learn(outcome)
    world.users |= outcome.rows
    return world


def told(asked: Sequence[Asked], index: ItemIndex) -> list[Recommendation]:
    """Answer by a model that has learnt nothing."""
    return recommendations(asked, ranked_for(asked, index, new_model()), index, NOW)


def click(event_id: str, item_id: str) -> Click:
    return Click(event_id=event_id, user_id="ann", item_id=item_id, ts=NOW)
