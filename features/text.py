"""Titles and queries -> terms and keys to look them up by."""

import re
import unicodedata
from collections.abc import Mapping

MAX_TERMS = 16
MAX_TERM_LENGTH = 40  # characters
MAX_KEY_LENGTH = 128  # characters of an exact or squashed key
MAX_KEYS = MAX_TERMS + 2

_ASCII_WORD = re.compile(r"[a-z0-9]+")


def terms(text: str) -> list[str]:
    """Return the first `MAX_TERMS` distinct words of a text, in order of appearance.

    Words are runs of letters, digits and combining marks, NFKC-normalised and case-folded. A script
    written without spaces gives one word per run.
    """
    return _distinct(_words(text))


def reworded(query: str, instead: Mapping[str, str]) -> str:
    """Return a query's words with other words in place of some of them."""
    return " ".join(instead.get(word, word) for word in _words(query))


def query_keys(query: str) -> list[str]:
    """Return what a query is counted under, the most telling key first; at most `MAX_KEYS`.

    "=" and all words, in order; "~" and the same without spaces, so that "x-box 360" meets
    "Xbox360"; then each of `terms`. A query without words has no keys.
    """
    words = _words(query)
    if not words:
        return []
    exact = " ".join(words)[:MAX_KEY_LENGTH]
    squashed = "".join(words)[:MAX_KEY_LENGTH]
    return ["=" + exact, "~" + squashed, *_distinct(words)]


def tidy(text: str, limit: int) -> str:
    """Return text on one line: NFKC, runs of white space as one space, cut to `limit` characters.

    Applied to its own result, it changes nothing.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit].rstrip()


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in folded).split()


def _distinct(words: list[str]) -> list[str]:
    return list(dict.fromkeys(word[:MAX_TERM_LENGTH] for word in words))[:MAX_TERMS]
