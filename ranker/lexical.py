"""What a search matches: title terms by BM25, and the items that earlier searches led to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker.spelling import MENDED, Vocabulary

BM25_K1 = 1.2
BM25_B = 0.5  # titles are short, so their length says less than a document's
SCANNED_POSTINGS = 50_000  # a search reads at most so many title postings, rarest terms first
KEY_ITEMS = 512  # a query key remembers so many items, those it led to most
EXACT, SQUASHED = "=", "~"  # how a query key of these two levels begins; a bare one is a term
TITLE, QUERY_EXACT, QUERY_SQUASHED, QUERY_TERMS = range(4)  # the kinds of match
_FIRST_POSTINGS = 4


class Matches(NamedTuple):
    """What one search matches: arrays of one length; values of one (slot, kind) add up."""

    slots: NDArray[np.int32]
    values: NDArray[np.float32]  # > 0: a BM25 share, or the share of a key's clicks
    kinds: NDArray[np.int8]


NO_MATCHES = Matches(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.int8))


@dataclass(slots=True)
class _Posting:
    """The slots that hold one term: the first `size` of `slots`, in no order."""

    slots: NDArray[np.int32]
    size: int = 0

    def add(self, slot: int) -> None:
        if self.size == len(self.slots):
            self.slots = np.concatenate([self.slots, np.empty_like(self.slots)])
        self.slots[self.size] = slot
        self.size += 1

    def discard(self, slot: int) -> None:
        found = np.flatnonzero(self.slots[: self.size] == slot)
        if len(found):
            self.size -= 1
            self.slots[found[0]] = self.slots[self.size]


class TitleTerms:
    """An inverted index of titles that is kept up item by item.

    A title is a set of terms: saying a word twice does not make it match twice.
    Source: BM25, Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009.
    """

    def __init__(self) -> None:
        self.words = Vocabulary()
        self._postings: dict[str, _Posting] = {}
        self._terms: dict[int, frozenset[str]] = {}
        self._total_terms = 0

    def put(self, slot: int, terms: Sequence[str]) -> None:
        """Replace what is known of `slot`; no terms forget it."""
        old, new = self._terms.get(slot, frozenset()), frozenset(terms)
        if new == old:
            return
        for term in old - new:
            posting = self._postings[term]
            posting.discard(slot)
            if not posting.size:
                del self._postings[term]
                self.words.discard(term)
        for term in new - old:
            if term not in self._postings:
                self._postings[term] = _Posting(np.empty(_FIRST_POSTINGS, np.int32))
                self.words.add(term)
            self._postings[term].add(slot)
        self._total_terms += len(new) - len(old)
        if new:
            self._terms[slot] = new
        else:
            del self._terms[slot]

    def count(self, term: str) -> int:
        """Return how many titles have a word."""
        posting = self._postings.get(term)
        return 0 if posting is None else posting.size

    def match(
        self, terms: Sequence[str], lengths: NDArray[np.float32]
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        """Return (slots, BM25 values) of each known term, rarest first, until the scan is spent.

        Args:
            terms: the search's words.
            lengths: terms in the title of each slot, (I,).
        """
        known = [self._postings[t] for t in dict.fromkeys(terms) if t in self._postings]
        found: list[tuple[NDArray[np.int32], NDArray[np.float32]]] = []
        budget = SCANNED_POSTINGS
        for posting in sorted(known, key=lambda p: p.size):
            if found and posting.size > budget:
                break
            budget -= posting.size
            slots = posting.slots[: posting.size].copy()
            total = len(self._terms)
            rarity = math.log1p((total - posting.size + 0.5) / (posting.size + 0.5))
            relative = lengths[slots] * np.float32(total / self._total_terms)
            damping = np.float32(1) + np.float32(BM25_K1) * (
                np.float32(1 - BM25_B) + np.float32(BM25_B) * relative
            )
            found.append((slots, np.float32(rarity * (BM25_K1 + 1)) / damping))
        return found


class QueryClicks:
    """Which items the searches for a key led to, and how often.

    A key holds `KEY_ITEMS` items with slack; past twice that the least clicked go.
    """

    def __init__(self) -> None:
        self._items: dict[str, dict[int, float]] = {}
        self._counts: dict[int, dict[str, float]] = {}

    def put(self, slot: int, counts: Mapping[str, float]) -> None:
        """Replace what is known of `slot`; no counts forget it."""
        old = self._counts.get(slot, {})
        if old == counts:
            return
        for key in old.keys() - counts.keys():
            items = self._items[key]
            items.pop(slot, None)
            if not items:
                del self._items[key]
        for key, count in counts.items():
            items = self._items.setdefault(key, {})
            items[slot] = count
            if len(items) > 2 * KEY_ITEMS:
                kept = sorted(items.items(), key=lambda pair: (-pair[1], pair[0]))[:KEY_ITEMS]
                self._items[key] = dict(kept)
        if counts:
            self._counts[slot] = dict(counts)
        else:
            del self._counts[slot]

    def knows(self, key: str) -> bool:
        """Tell whether a search for the key ever led to an item that is there."""
        return key in self._items

    def scale(self, factor: float) -> None:
        """Multiply all counts."""
        for items in self._items.values():
            items.update({slot: count * factor for slot, count in items.items()})
        for keys in self._counts.values():
            keys.update({key: count * factor for key, count in keys.items()})

    def match(
        self, keys: Sequence[str], left: float = 1.0
    ) -> list[tuple[NDArray[np.int32], NDArray[np.float32], int]]:
        """Return (slots, share of the key's clicks, kind) of each known key.

        Args:
            keys: the search's query keys.
            left: what is left of every count by now.
        """
        found = []
        for key in dict.fromkeys(keys):
            items = self._items.get(key)
            if items:
                slots = np.fromiter(items.keys(), np.int32, len(items))
                counts = np.fromiter(items.values(), np.float32, len(items)) * np.float32(left)
                # One more than the clicks: a key seen once is not yet certain of its item.
                found.append((slots, counts / (counts.sum() + np.float32(1)), _kind(key)))
        return found


def matches(
    titles: TitleTerms,
    clicks: QueryClicks,
    terms: Sequence[str],
    keys: Sequence[str],
    *,
    lengths: NDArray[np.float32],
    left: float = 1.0,
) -> Matches:
    """Return everything a search matches; the shares of its terms are averaged over the terms.

    Args:
        titles: the inverted index of titles.
        clicks: what earlier searches led to.
        terms: the search's words.
        keys: the search's query keys: exact, squashed and its terms.
        lengths: terms in the title of each slot, (I,).
        left: what is left of the clicks that were counted.
    """
    parts = [(slots, values, TITLE) for slots, values in titles.match(terms, lengths)]
    words = max(1, sum(_kind(key) == QUERY_TERMS for key in keys))
    for slots, shares, kind in clicks.match(keys, left):
        parts.append((slots, shares / np.float32(words) if kind == QUERY_TERMS else shares, kind))
    if not parts:
        return NO_MATCHES
    return Matches(
        np.concatenate([slots for slots, _, _ in parts]),
        np.concatenate([values for _, values, _ in parts]),
        np.repeat(np.array([kind for _, _, kind in parts], np.int8), [len(s) for s, _, _ in parts]),
    )


def mend(titles: TitleTerms, clicks: QueryClicks, keys: Sequence[str]) -> dict[str, str]:
    """Return misspelt words of a search, and the words of titles that were probably meant.

    A word is misspelt where no title has it and no search for it led anywhere. A query that did,
    spelt like this or with other spaces, is right as it is.

    Args:
        titles: the inverted index of titles.
        clicks: what earlier searches led to.
        keys: the search's query keys.
    """
    kinds = [_kind(key) for key in keys]
    if any(clicks.knows(key) for key, kind in zip(keys, kinds, strict=True) if kind != QUERY_TERMS):
        return {}
    words = [key for key, kind in zip(keys, kinds, strict=True) if kind == QUERY_TERMS]
    unknown = [word for word in words if not titles.count(word) and not clicks.knows(word)]
    closest = {word: titles.words.closest(word, titles.count) for word in unknown[:MENDED]}
    return {word: meant for word, meant in closest.items() if meant is not None}


def _kind(key: str) -> int:
    return {EXACT: QUERY_EXACT, SQUASHED: QUERY_SQUASHED}.get(key[:1], QUERY_TERMS)
