"""A shop of any size, made up: a catalogue, and users who keep to a few categories."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from features.events import Click, Event, Item, Purchase

CATEGORY = 100
"""Items of a category."""
LIKED = 3
"""Categories that a user keeps to."""
BOUGHT = 0.1
"""Share of touches that are purchases."""
STEP_MS = 1_000
BEGIN_MS = 1_700_000_000_000
_WORDS = 2_000
_SKEW = 1.3  # of the popularity of a category's items (Zipf)


@dataclass(frozen=True, slots=True)
class MadeUpShop:
    """Equal arguments make equal shops.

    Attributes:
        items: In the catalogue.
        users: Who touch them, all alike busy.
        seed: Where chance comes from.
    """

    items: int = 50_000
    users: int = 4_000
    seed: int = 1

    def catalogue(self) -> Iterator[Item]:
        """Yield every item: four words, a category, a brand and a price."""
        rng = np.random.default_rng([self.seed, 0])
        words = rng.integers(0, _WORDS, (self.items, 4)).tolist()
        prices = np.exp(rng.normal(3, 1, self.items)).round(2).tolist()
        for number, (own, price) in enumerate(zip(words, prices, strict=True)):
            category = number // CATEGORY
            yield Item(
                item_id=_item(number),
                title=" ".join(f"word{word}" for word in own),
                category=(f"floor {category // 20}", f"shelf {category}"),
                brand=f"brand {number * 7 % 300}",
                price=price,
            )

    def events(self, count: int, first: int = 0) -> Iterator[Event]:
        """Yield so many clicks and purchases, a second apart, after those before number `first`."""
        liked = np.random.default_rng([self.seed, 1]).integers(
            0, max(1, self.items // CATEGORY), (self.users, LIKED)
        )
        for begin in range(first - first % 10_000, first + count, 10_000):
            rng = np.random.default_rng([self.seed, 2, begin])
            users = rng.integers(0, self.users, 10_000)
            categories = liked[users, rng.integers(0, LIKED, 10_000)]
            places = (rng.zipf(_SKEW, 10_000) - 1) % CATEGORY
            touched = np.minimum(categories * CATEGORY + places, self.items - 1).tolist()
            bought = (rng.random(10_000) < BOUGHT).tolist()
            for number in range(max(begin, first), min(begin + 10_000, first + count)):
                at = number - begin
                kind = Purchase if bought[at] else Click
                yield kind(
                    event_id=f"e{number}",
                    user_id=f"u{users[at]}",
                    item_id=_item(touched[at]),
                    ts=BEGIN_MS + number * STEP_MS,
                )


def _item(number: int) -> str:
    return f"item-{number:06}"
