"""A catalogue as simulated shoppers see it: words to search by, popular things, things alike."""

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from features.events import Item
from features.text import terms

_LEAST_LETTERS = 3
_STOP_WORDS = frozenset(("and", "the", "for", "with", "set", "pack"))
_MANY = 50  # things alike that are looked at


class Shelf:
    """Items by place (their order by id), with what finding and liking them needs.

    Popularity is made up: a seeded shuffle with a long tail, for the catalogue alone has none.
    """

    def __init__(self, items: Sequence[Item], rng: random.Random) -> None:
        self.items = sorted(items, key=lambda item: item.item_id)
        self.place = {item.item_id: place for place, item in enumerate(self.items)}
        self.item_words = [_words(item) for item in self.items]
        self.log_prices = [math.log(item.price) if item.price else 0.0 for item in self.items]
        self._holding: dict[str, list[int]] = defaultdict(list)
        for place, words in enumerate(self.item_words):
            for word in words:
                self._holding[word].append(place)
        self.words = sorted(self._holding)
        self.word_weights = [len(self._holding[word]) for word in self.words]
        self._rank = rng.sample(range(len(self.items)), len(self.items))  # by place, 0 = most
        self._weights = list(accumulate(1.0 / (rank + 10) for rank in self._rank))

    def popular(self, rng: random.Random) -> int:
        """Draw an item by popularity."""
        return rng.choices(range(len(self.items)), cum_weights=self._weights)[0]

    def holding(self, word: str) -> Sequence[int]:
        """Return the items with a word, in place order; empty for an unknown word."""
        return self._holding.get(word, ())

    def matches(self, words: Sequence[str], most: int) -> list[int]:
        """Return what a plain search would show: most words matched first, then most popular."""
        hits: dict[int, int] = defaultdict(int)
        for word in words:
            for place in self.holding(word):
                hits[place] += 1
        return sorted(hits, key=lambda place: (-hits[place], self._rank[place]))[:most]

    def like(self, place: int, rng: random.Random) -> int:
        """Draw an item that shares the rarest shared word; a popular one where none is shared."""
        kin = [self._holding[word] for word in self.item_words[place]]
        shared = min((group for group in kin if len(group) > 1), key=len, default=[])
        others = [other for other in shared[:_MANY] if other != place]
        return rng.choice(others) if others else self.popular(rng)


def _words(item: Item) -> tuple[str, ...]:
    """Return the distinct words one might look for an item by, in the order they are written."""
    text = " ".join((item.title or "", *(item.category or ()), item.brand or ""))
    kept = (
        word
        for word in terms(text)
        if len(word) >= _LEAST_LETTERS and word.isalpha() and word not in _STOP_WORDS
    )
    return tuple(dict.fromkeys(kept))
