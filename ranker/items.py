"""What a worker knows about every item: an index of rows that is kept up item by item."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from sys import intern

import numpy as np
from numpy.typing import NDArray

from ranker.codes import Codes
from ranker.columns import HALF_LIVES_MS, NO_DOMAIN, Columns, doubled, new_columns, pairs_of
from ranker.item_state import BadItemState, ItemState, Mark, check, normalised, status_of
from ranker.landmark import Landmark
from ranker.lexical import Matches, QueryClicks, TitleTerms, matches, mend
from ranker.limits import Limits, outside
from ranker.nearest import Aside, Nearest, at_once
from ranker.pair_writer import PairWriter
from ranker.pairs import scale_pairs
from ranker.popular import MostPopular, checked_half_lives, popularity_at
from ranker.selection import factors_of, vectors_of
from ranker.shelves import CategoryShelves, Shelves
from ranker.written import told_of, write_figures

__all__ = ["ONE_DOMAIN", "BadItemState", "ItemIndex", "ItemState"]

_FIRST_SLOTS = 1024
_AT_ONCE = 1024  # states are written at once at most
_Floats = NDArray[np.float32]
ONE_DOMAIN: Mapping[str, Sequence[int]] = {"shop": HALF_LIVES_MS}


class ItemIndex:
    """All items in memory, a slot each; every worker has one and feeds it the item broadcast.

    A slot stays with its id for the life of the index, deleted or not, since the neighbour lists
    of other items may name it; memory is thus bounded by the distinct ids, not by their traffic.

    Args:
        neighbours: length of an item's list.
        factors: length of the factors.
        half_life_ms: after so long pairs and queries weigh half; 0 = they never fade.
        domains: name -> the half-lives of its popularities in ms, as many as `HALF_LIVES_MS`; the
            default one first; 127.
        aside: runs what takes long and may be late: building the cells of very many vectors.
    """

    def __init__(
        self,
        neighbours: int = 100,
        factors: int = 16,
        half_life_ms: int = 0,
        domains: Mapping[str, Sequence[int]] = ONE_DOMAIN,
        aside: Aside = at_once,
    ) -> None:
        if neighbours < 1 or factors < 1:
            raise BadItemState(f"{neighbours=} and {factors=} must both be at least 1")
        self.ids: list[str] = []
        self.columns: Columns = new_columns(_FIRST_SLOTS, neighbours, factors)
        self.space = ""  # in which the vectors lie
        self.changes = 0  # grows with every change: what was computed at an equal count still holds
        self.landmark = Landmark(half_life_ms)
        self.domains = tuple(domains)
        self.half_lives_ms = checked_half_lives(domains)
        self._numbers = {name: number for number, name in enumerate(domains)} | {"": 0}
        self.near_vectors, self.near_factors = Nearest(aside), Nearest(aside)
        self._pairs = pairs_of(self.columns)
        self._writer = PairWriter()
        self._slots: dict[str, int] = {}
        self._categories: Codes[tuple[str, ...]] = Codes(())
        self._leaves, self._brands = Codes(""), Codes("")
        self._shelves = CategoryShelves(len(domains))
        self._popular = MostPopular(len(domains))
        self._titles = TitleTerms()
        self._clicks = QueryClicks()

    def __len__(self) -> int:
        """Count the slots, placeholders and deleted items included."""
        return len(self.ids)

    @property
    def vectors(self) -> _Floats:
        """Attention vectors, (cap, D): L2-normalised rows, zero where unknown."""
        return self.columns.vectors

    @property
    def has_vector(self) -> NDArray[np.bool_]:
        """Which slots have a vector, (cap,)."""
        return self.columns.has_vector

    def slot(self, item_id: str) -> int:
        """Return the item's slot; a new id gets a placeholder, which no list shows."""
        slot = self._slots.get(item_id)
        if slot is None:
            item_id = intern(item_id)  # rows hold the same object, which is sooner found here
            slot = self._slots[item_id] = len(self.ids)
            self.ids.append(item_id)
            if len(self.ids) > len(self.columns.degree):
                self.columns = doubled(self.columns)
                self._pairs = pairs_of(self.columns)
        return slot

    def slots(self, item_ids: Iterable[str]) -> NDArray[np.int32]:
        """Return the slot of each id, -1 where it is unknown."""
        return np.array([*map(self._slots.get, item_ids, repeat(-1))], np.int32)

    def mark(self, slot: int) -> Mark:
        """Return the mark of what is known of an item's pairs: see `ItemState.partial`."""
        return tuple(self.columns.mark[slot].tolist())

    def leaf_and_brand(self, item_id: str) -> tuple[str, str]:
        """Return the narrowest category of the item's path, and its brand; "" where unknown."""
        slot = self._slots.get(item_id)
        if slot is None:
            return "", ""
        return self.leaf(slot), self._brands.names[self.columns.brand.item(slot)]

    def leaf(self, slot: int) -> str:
        """Return the narrowest category of an item's path; "" where unknown."""
        return self._leaves.names[self.columns.leaf.item(slot)]

    def leanings(
        self, leaves: Mapping[str, float], brands: Mapping[str, float]
    ) -> tuple[dict[int, float], dict[int, float]]:
        """Return shares of narrowest categories and of brands, by code; unknown ones are out."""
        return self._leaves.shares(leaves), self._brands.shares(brands)

    @property
    def shelves(self) -> Shelves:
        """The most popular items of every narrowest category."""
        return self._shelves.rows

    def popular(self, size: int, domain: int) -> NDArray[np.int32]:
        """Return the most popular of the first `size` items of a domain (see `MostPopular`)."""
        return self._popular.of(self.columns, size, domain, self.changes)

    def domain_of(self, item_id: str) -> str:
        """Return the name of the item's domain; that of the default one where it is not known."""
        slot = self._slots.get(item_id)
        return self.domains[0 if slot is None else max(self.columns.domain[slot], 0)]

    def domain_named(self, name: str) -> int:
        """Return the number of the domain of that name; 0 where there is none."""
        return self._numbers.get(name, 0)

    def put(self, state: ItemState) -> None:
        """Put one state: see `put_many`."""
        self.put_many((state,))

    def put_many(self, states: Iterable[ItemState]) -> None:
        """Replace all that is known of items, except their attention vectors.

        States are taken one by one, and written up to `_AT_ONCE` together. Of two for one item the
        later holds.

        Raises:
            BadItemState: arrays that do not match in length. Whatever came before that state is
                put, and nothing of it.
        """
        batch: dict[int, ItemState] = {}
        sources: list[int] = []  # of all predecessors, one state after the other
        factors = self.columns.factors.shape[1] - 1
        try:
            for state in states:
                check(state, factors=factors)
                slot = self.slot(state.item_id)
                if slot in batch or len(batch) == _AT_ONCE:
                    self._write(batch, sources)
                    batch, sources = {}, []
                batch[slot] = state
                begin = len(sources)
                try:
                    sources += map(self._slots.__getitem__, state.predecessors)
                except KeyError:
                    sources[begin:] = map(self.slot, state.predecessors)
        finally:
            self._write(batch, sources)

    def remove(self, item_id: str) -> None:
        """Forget what an item's own row said, and its vector; an unknown id changes nothing."""
        slot = self._slots.get(item_id)
        if slot is not None:
            self.put(ItemState(item_id=item_id, active=False))
            self.columns.vectors[slot] = 0
            self.columns.has_vector[slot] = False
            self.near_vectors.follow(vectors_of(self.columns), [slot])

    def set_vectors(self, item_ids: Sequence[str], vectors: _Floats, space: str = "") -> None:
        """Replace all attention vectors: another model's lie in another space, so none stay.

        Args:
            item_ids: the items, known or not.
            vectors: (len(item_ids), D); they are L2-normalised here.
            space: names the space in which they lie.

        Raises:
            BadItemState: not one row per item.
        """
        rows = normalised(item_ids, vectors)
        slots = [self.slot(item_id) for item_id in item_ids]
        capacity = len(self.columns.degree)
        placed = np.zeros((capacity, rows.shape[1]), np.float32)
        known = np.zeros(capacity, np.bool_)
        placed[slots], known[slots] = rows, rows.any(axis=1)
        self.columns = self.columns._replace(vectors=placed, has_vector=known)
        self.space = space
        self.near_vectors.replace(vectors_of(self.columns))
        self.changes += 1

    def put_vectors(self, item_ids: Sequence[str], vectors: _Floats) -> None:
        """Replace or add the attention vectors of some items, by the model that the others are of.

        Args:
            item_ids: as in `set_vectors`.
            vectors: likewise; zeros take an item's vector away.

        Raises:
            BadItemState: not one row per item, or of another length than those of `set_vectors`.
        """
        rows = normalised(item_ids, vectors)
        width = self.columns.vectors.shape[1]
        if rows.shape[1] != width:
            raise BadItemState(
                f"vectors of length {rows.shape[1]} beside others of length {width}: "
                "another model's are for set_vectors"
            )
        slots = [self.slot(item_id) for item_id in item_ids]
        self.columns.vectors[slots] = rows
        self.columns.has_vector[slots] = rows.any(axis=1)
        self.near_vectors.follow(vectors_of(self.columns), slots)
        self.changes += 1

    def popularity_at(self, now: int) -> _Floats:
        """Return each slot's popularity decayed to `now` (ms UTC), (I, H).

        It may be called while another thread writes to the index.
        """
        rows = self.columns  # growth makes new ones; these hold every slot that is asked for
        return popularity_at(rows, min(len(self), len(rows.degree)), self.half_lives_ms, now)

    def outside(self, limits: Limits) -> NDArray[np.int32]:
        """Return the slots of items that do not pass the limits, in order."""
        numbers = self._categories.numbers, self._brands.numbers
        return outside(self.columns, len(self), *numbers, limits)

    def mend(self, keys: Sequence[str]) -> dict[str, str]:
        """Return misspelt words of a search by its keys, and what was probably meant."""
        return mend(self._titles, self._clicks, keys)

    def search(self, terms: Sequence[str], keys: Sequence[str], now: int) -> Matches:
        """Return what a search with these words and query keys matches at `now` (ms UTC)."""
        lengths, left = self.columns.term_count, self.landmark.left(now)
        return matches(self._titles, self._clicks, terms, keys, lengths=lengths, left=left)

    def _write(self, batch: Mapping[int, ItemState], sources: Sequence[int]) -> None:
        """Put states of distinct items, by slot."""
        if not batch:
            return
        slots, states = np.fromiter(batch, np.int32, len(batch)), list(batch.values())
        scales = self._scales([state.as_of for state in states])
        to = self.columns
        shelves = self._shelves.of(to, slots)
        self._writer.put(self._pairs, told_of(slots, states, sources, scales))
        for slot, state, scale in zip(batch, states, scales.tolist(), strict=True):
            if not state.as_listed:
                self._put_entry(slot, state)
            counts = state.query_counts
            self._clicks.put(slot, {key: n * scale for key, n in counts.items()} if counts else {})
        write_figures(to, slots, states, scales, self.half_lives_ms)
        self.near_factors.follow(factors_of(to), list(batch))
        self._shelves.put(to, len(self), slots, shelves)
        self.changes += 1

    def _scales(self, as_of: Sequence[int]) -> NDArray[np.float64]:
        """Return what turns weights as of those times into weights as of the landmark."""
        times = dict.fromkeys(as_of)
        for time in times:
            moved = self.landmark.move(time)
            if moved != 1.0:
                scale_pairs(self._pairs, moved)
                self.columns.in_weight[:] *= np.float32(moved)
                self.columns.reach[:] *= np.float32(moved)
                self._clicks.scale(moved)
        scales = {time: self.landmark.scale(time) for time in times}
        return np.array([scales[time] for time in as_of])

    def _put_entry(self, slot: int, state: ItemState) -> None:
        """Put what the catalogue says."""
        to = self.columns
        to.domain[slot] = self._numbers.get(state.domain, NO_DOMAIN)
        to.price[slot] = state.price if state.price > 0 else 0.0
        to.category[slot] = self._categories.of(state.category)
        to.leaf[slot] = self._leaves.of(state.category[-1]) if state.category else 0
        to.brand[slot] = self._brands.of(state.brand)
        to.price_band[slot] = state.price_band
        to.term_count[slot] = len(set(state.terms))
        to.available_from[slot] = state.available_from
        to.available_to[slot] = state.available_to
        to.status[slot] = status_of(state)
        self._titles.put(slot, state.terms)
