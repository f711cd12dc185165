"""Words of a search that nobody knows, taken for the words of titles that they are closest to."""

from collections.abc import Callable
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

MENDED = 4
"""Words of one search that are looked for at most: among 50,000 of like length it takes 2 ms."""
_LONG: Final = 6  # characters from which a word may hold two errors
_SHORTEST: Final = 3
_Bucket = tuple[str, int]


class Vocabulary:
    """Words, found again by something like them; kept up word by word.

    An error is a letter too many, too few, another one, or two that changed places. The first
    letter is taken to be right, as it mostly is, so that one in some tens of the words is compared.
    A word with a digit is left alone: of two model numbers neither is the other misspelt.

    Source: optimal string alignment distance, Boytsov, Indexing Methods for Approximate Dictionary
    Searching, 2011; how many errors a word may hold is Lucene's rule.
    """

    def __init__(self) -> None:
        self._buckets: dict[_Bucket, dict[str, None]] = {}

    def add(self, word: str) -> None:
        """Let a word be found; one that is there stays."""
        if _mendable(word):
            self._buckets.setdefault(_bucket(word), {})[word] = None

    def discard(self, word: str) -> None:
        """Let a word be found no more."""
        held = self._buckets.get(_bucket(word)) if word else None
        if held is not None and held.pop(word, 0) is None and not held:
            del self._buckets[_bucket(word)]

    def closest(self, word: str, weight: Callable[[str], float]) -> str | None:
        """Return the word with the fewest errors between, then the weightiest; None without any.

        Args:
            word: as it was typed, case-folded.
            weight: tells how common a word is.
        """
        if not _mendable(word):
            return None
        errors = 2 if len(word) >= _LONG else 1
        near = [
            known
            for length in range(len(word) - errors, len(word) + errors + 1)
            for known in self._buckets.get((word[0], length), ())
        ]
        found = process.extract(word, near, scorer=OSA.distance, score_cutoff=errors, limit=None)
        if not found:
            return None
        return min(found, key=lambda one: (one[1], -weight(one[0]), one[0]))[0]


def _mendable(word: str) -> bool:
    return len(word) >= _SHORTEST and word.isalpha()


def _bucket(word: str) -> _Bucket:
    return word[0], len(word)
