"""What is known of items, in some 35 bytes each: when they were first touched, and their domain."""

from array import array

import numpy as np
from numpy.typing import NDArray

from features.item import NEVER

_GONE = 255  # the number of no domain


class Facts:
    """Item id -> time of its first touch, and its domain.

    All are put before the first is asked for. Ids are held as hashes of 64 bits: of 10 million
    items two share one with a chance of 3 in a million.

    Args:
        domains: Names of the domains that there are, the default one first.
    """

    def __init__(self, domains: tuple[str, ...]) -> None:
        self._domains = domains
        self._codes, self._seen, self._of = array("q"), array("q"), bytearray()
        self._sorted: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]] | None = None

    def put(self, item_id: str, first_seen: int, domain: str | None) -> None:
        """Note an item; what is put later of the same prevails."""
        known = self._domains.index(domain) if domain in self._domains else 0
        self._add(item_id, first_seen, known)

    def remove(self, item_id: str) -> None:
        """Note that there is no such item any more."""
        self._add(item_id, NEVER, _GONE)

    def __len__(self) -> int:
        """Count the items that there are."""
        return int((self._table()[2] != _GONE).sum())

    def age_ms(self, item_id: str, ts: int) -> int:
        """Return the time from an item's first touch to a later event; `NEVER` for that touch."""
        codes, seen, _ = self._table()
        place = self._place(codes, item_id)
        first = NEVER if place is None else int(seen[place])
        return NEVER if first == NEVER or ts <= first else ts - first

    def domain(self, item_id: str) -> str:
        """Return the name of an item's domain; the default one where that is not known."""
        codes, _, of = self._table()
        place = self._place(codes, item_id)
        known = 0 if place is None or of[place] == _GONE else int(of[place])
        return self._domains[known]

    def _add(self, item_id: str, first_seen: int, domain: int) -> None:
        self._codes.append(hash(item_id))
        self._seen.append(first_seen)
        self._of.append(domain)
        self._sorted = None

    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
        """Sort what was put by code, the last of each alone."""
        if self._sorted is None:
            codes = np.array(self._codes, np.int64)
            order = np.argsort(codes, kind="stable")
            codes = codes[order]
            last = np.append(codes[1:] != codes[:-1], True) if len(codes) else np.zeros(0, np.bool_)
            order = order[last]
            seen, of = np.array(self._seen, np.int64), np.frombuffer(bytes(self._of), np.uint8)
            self._sorted = codes[last], seen[order], of[order]
        return self._sorted

    @staticmethod
    def _place(codes: NDArray[np.int64], item_id: str) -> int | None:
        code = hash(item_id)
        place = int(np.searchsorted(codes, code))
        return place if place < len(codes) and codes[place] == code else None
