"""Cut a stream of things into lists."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` things, in order; the last one may be shorter."""
    iterator = iter(things)
    while batch := list(islice(iterator, size)):
        yield batch
