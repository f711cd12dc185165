"""What the catalogue says of an item, as numbers: hashed tokens, and how its price stands.

Source: feature hashing, Weinberger et al., ICML 2009; the id of a token needs no vocabulary that
would have to be built first, shared and kept.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.affinity import price_band
from features.category import MAX_LEVEL, z_score
from features.events import Item, Scalar
from features.levels import CategoryLevels
from features.text import terms

VOCABULARY = 1 << 15
"""Ids of tokens are below this. Of a shop's few thousand tokens some per cent share an id."""
MAX_TOKENS = 64
"""Tokens of one item; the first ones stay."""
NUMBERS = ("price_level", "price_known")
"""What `numbers` returns, in its order."""
_HASH_BYTES = 8

Namespace: TypeAlias = Literal["title", "category", "brand", "price", "attribute", "tag"]


class Token(NamedTuple):
    """One thing that the catalogue says; the same text in two namespaces is two things.

    Attributes:
        namespace: Where it says it.
        text: Case-folded: a word of the title, a level of the category's path, the brand, the
            number of the band of its price (`features.affinity.price_band`), an attribute's
            "name=value", a tag.
    """

    namespace: Namespace
    text: str


def tokens(item: Item) -> tuple[Token, ...]:
    """Return the distinct tokens of a cleaned item, at most `MAX_TOKENS`, in the order of `Token`.

    What the order of attributes and tags in the catalogue's record was makes no difference.
    """
    return tuple(dict.fromkeys(_tokens(item)))[:MAX_TOKENS]


def token_ids(found: Iterable[Token]) -> NDArray[np.int32]:
    """Return the id of each token, (T,) int32, 1 to `VOCABULARY` - 1; 0 is left for padding.

    An id is a function of the token alone: the same on every machine and in every version.
    """
    return np.fromiter((_id(*token) for token in found), np.int32)


def numbers(item: Item, levels: CategoryLevels) -> NDArray[np.float32]:
    """Return (2,) float32, as `NUMBERS` names them; (0, 0) where nothing can be said.

    The first is how far ln(price) lies above what is usual in the category: a robust z-score,
    clipped to `MAX_LEVEL` and divided by it, -1..1. The second is 1 where that is known, else 0.
    """
    found = levels.priced(item.category or (), item.domain or "")
    if not item.price or found is None:
        return np.zeros(len(NUMBERS), np.float32)
    return np.array([z_score(item.price, found[1]) / MAX_LEVEL, 1.0], np.float32)


def _tokens(item: Item) -> Iterator[Token]:
    for word in terms(item.title or ""):
        yield Token("title", word)
    for name in item.category or ():
        yield Token("category", name.casefold())
    if item.brand:
        yield Token("brand", item.brand.casefold())
    if item.price:
        yield Token("price", str(price_band(item.price)))
    for text in sorted(_pair(name, value) for name, value in (item.attributes or {}).items()):
        yield Token("attribute", text)
    for tag in sorted(name.casefold() for name in item.tags or ()):
        yield Token("tag", tag)


def _pair(name: str, value: Scalar | None) -> str:
    """Return "name=value"; JSON's 1.0 and MessagePack's 1 are one number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{name.casefold()}={value:.15g}"
    return f"{name}={value}".casefold()


@lru_cache(maxsize=1 << 16)
def _id(namespace: Namespace, text: str) -> int:
    key = f"{namespace}\n{text}".encode()
    number = int.from_bytes(blake2b(key, digest_size=_HASH_BYTES).digest())
    return 1 + number % (VOCABULARY - 1)
