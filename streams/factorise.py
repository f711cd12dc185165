"""Step the factors in the rows that a batch has touched (`ranker.factors` has the mathematics).

A user's owner reads item factors from the index, an item's owner gets the users' factors with the
signals. Chance is seeded by the batch, so that a replay of it draws the same.
"""

from collections.abc import Mapping, MutableMapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from features.domains import Domains
from features.events import Kind, Touching
from features.item import ItemRow, domain_of
from features.profile import Profile
from features.signals import Touched
from ranker import factors
from ranker.factors import Seen, Side
from ranker.items import ItemIndex

NEGATIVES = 4
_LITTLE = "<f4"


def step_users(
    rows: MutableMapping[str, Profile],
    touches: Sequence[Touching],
    pulls: Sequence[float],
    index: ItemIndex,
    seed: Sequence[int],
) -> None:
    """Step, in place, the users of a batch towards the items that they acted on.

    Args:
        rows: User id -> row after the batch.
        touches: What they did, in log order; at least one.
        pulls: How hard each pulls (see `features.domains`).
        index: All items; those that have no factors yet teach nothing.
        seed: Of the batch: its source and first offset.
    """
    if not len(index):
        return
    slots = index.slots(touch.item_id for touch in touches).astype(np.int64)
    columns = index.columns
    known = (slots >= 0) & columns.has_factors[np.maximum(slots, 0)]
    users = list(dict.fromkeys(touch.user_id for touch in touches))
    place = {user_id: number for number, user_id in enumerate(users)}
    rng = np.random.default_rng(list(seed))
    own = _stacked([rows[user_id] for user_id in users], columns.factors.shape[1] - 1, rng)
    slots = np.where(known, slots, 0)
    negative = columns.factors[factors.sample_negatives(slots, len(index), NEGATIVES, rng)]
    positive = columns.factors[slots]
    seen = Seen(
        rows=np.array([place[touch.user_id] for touch in touches], np.int64),
        weights=np.where(known, np.array(pulls, np.float32), np.float32(0)),
        positive=Side(positive[:, :-1], positive[:, -1]),
        negative=Side(negative[:, :, :-1], negative[:, :, -1]),
    )
    after = factors.step(own, seen)
    for user_id, vector, bias in zip(users, *_stored(after), strict=True):
        rows[user_id] = replace(rows[user_id], factors=vector, bias=bias)


def step_items(
    rows: MutableMapping[str, ItemRow],
    touched: Mapping[str, Sequence[Touched]],
    dimensions: int,
    seed: Sequence[int],
    domains: Domains,
) -> None:
    """Step, in place, the items of a batch towards the users who acted on them.

    Args:
        rows: Item id -> row after the batch.
        touched: Item id -> what was newly applied to it.
        dimensions: Length of the factors.
        seed: Of the batch.
        domains: What events weigh, by the domain of their item.
    """
    names = [item_id for item_id, entries in touched.items() if entries]
    if not names:
        return
    entries = [entry for item_id in names for entry in touched[item_id]]
    rng = np.random.default_rng(list(seed))
    own = _stacked([rows[item_id] for item_id in names], dimensions, rng)
    users, known = _read(entries, dimensions)
    own_rows = np.repeat(np.arange(len(names)), [len(touched[item_id]) for item_id in names])
    pulls = [
        domains.of(domain_of(rows[item_id])).pull(Kind(entry.kind))
        for item_id in names
        for entry in touched[item_id]
    ]
    seen = Seen(
        rows=own_rows,
        weights=np.where(known, np.array(pulls, np.float32), np.float32(0)),
        positive=users,
        negative=factors.in_batch_negatives(users, own_rows, NEGATIVES),
    )
    after = factors.step(own, seen)
    for item_id, vector, bias in zip(names, *_stored(after), strict=True):
        rows[item_id] = replace(rows[item_id], factors=vector, bias=bias)


def _stacked(rows: Sequence[Profile | ItemRow], dimensions: int, rng: np.random.Generator) -> Side:
    """Return the factors of rows, drawn anew where a row has none of this length."""
    drawn = factors.new_side(len(rows), rng, dimensions)
    read, known = _read(rows, dimensions)
    return Side(
        np.where(known[:, None], read.factors, drawn.factors),
        np.where(known, read.bias, drawn.bias),
    )


def _read(
    rows: Sequence[Profile | ItemRow | Touched], dimensions: int
) -> tuple[Side, NDArray[np.bool_]]:
    """Return the factors that rows or signals hold, 0 where of another length, and where not."""
    size = 4 * dimensions
    known = np.array([len(row.factors) == size for row in rows])
    nothing = bytes(size)
    stored = b"".join([row.factors if len(row.factors) == size else nothing for row in rows])
    read = np.frombuffer(stored, _LITTLE).reshape(len(rows), dimensions)
    return Side(read, np.array([row.bias for row in rows], np.float32)), known


def _stored(side: Side) -> tuple[list[bytes], list[float]]:
    """Return factors as rows hold them, and the bias of each."""
    size = 4 * side.factors.shape[1]
    whole = side.factors.astype(_LITTLE).tobytes()
    each = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
    return each, side.bias.tolist()
