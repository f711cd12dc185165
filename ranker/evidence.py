"""What a history and a search say about items: neighbour scores, own touches and matches.

Item by item the evidence of one list is summed in a table; its first rows are the history's own
distinct items, newest first. The neighbour scores of candidate c, over the last 20 distinct items x
of the history at distance d = 0, 1, ... with weight 1 / (d + 1):

- forward: the chance of c after x, fwd / (out_x + 1);
- cosine: together / sqrt((n_x + 5) (n_c + 5));
- lift: fwd / sqrt((out_x + 5) (in_c + 5));

each for the last item alone and summed; and

- bought: the chance of buying c after x, fwd that ended in a purchase / (out_x + 1), summed.

All of it fades with time. What the user's own history added to these counts, and is left of that,
is taken out again: it says nothing about anybody else, and it would rank the user's own path first.

Source: item-based neighbours, Sarwar et al., WWW 2001; decay over the session's positions as in
VMIS-kNN, Kersbergen et al., Serenade, SIGMOD 2022.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ranker._jit import inlined, kernel
from ranker.columns import SHRINK, Columns
from ranker.pairs import TIE_BOUGHT, TIE_FOLLOWED, TIE_FORWARD, TIE_PRECEDED

HISTORY = 50  # positions of a history that are read
SOURCES = 20  # distinct items of a history whose neighbours are read
PAIRED = 10  # distinct earlier items that an event is paired with when item rows learn
FAR_GAP_MS = 3_600_000  # pairs further apart than this weigh half
VISIT_GAP_MS = 1_800_000  # a longer pause ends a visit, as `features.session` says
PURCHASE = 2  # the kind of touch that makes an item bought
HOUR_MS = 3_600_000

EVIDENCE = (
    "forward_last",
    "forward",
    "cosine_last",
    "cosine",
    "lift_last",
    "lift",
    "bought",
    "support",  # items of the history that have c as a neighbour
    "title",  # BM25
    "query_exact",  # shares of the clicks that searches for the same key led to
    "query_squashed",
    "query_terms",
    "own_position",  # 1 = the last distinct item of the history, 0 = not in it
    "own_count",
    "own_age_h",  # since the user last touched it
    "own_bought",
)
(
    FORWARD_LAST,
    FORWARD,
    COSINE_LAST,
    COSINE,
    LIFT_LAST,
    LIFT,
    BOUGHT,
    SUPPORT,
    TITLE,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    OWN_POSITION,
    OWN_COUNT,
    OWN_AGE_H,
    OWN_BOUGHT,
) = range(len(EVIDENCE))


class Histories(NamedTuple):
    """B histories, newest first, padded to H with -1."""

    slots: NDArray[np.int32]  # (B, H)
    kinds: NDArray[np.int8]  # (B, H)
    times: NDArray[np.int64]  # (B, H) ms UTC
    uncounted: NDArray[np.int32]  # (B,) so many of the newest are not in the item rows yet
    now: NDArray[np.int64]  # (B,) ms UTC
    left: NDArray[np.float32]  # (B,) of the weights of all pairs
    left_own: NDArray[np.float32]  # (B, H) of what a touch added when it happened


class Searches(NamedTuple):
    """What B searches match, as `ranker.lexical.Matches`; list b has [start[b]:start[b + 1]]."""

    slots: NDArray[np.int32]
    values: NDArray[np.float32]
    kinds: NDArray[np.int8]
    start: NDArray[np.int64]  # (B + 1,)


class Table(NamedTuple):
    """Scratch space of one batch, list by list."""

    size: NDArray[np.int32]  # (1,) rows in use
    distinct: NDArray[np.int32]  # (1,) the first rows: the history's own items, newest first
    visited: NDArray[np.int32]  # (1,) of these the first: the items of the visit that goes on
    visit_touches: NDArray[np.int32]  # (H,) in that visit, of each own row
    list: NDArray[np.int32]  # (cap,) the list for which `row` of a slot holds
    row: NDArray[np.int32]  # (cap,)
    slots: NDArray[np.int32]  # (cap,) the slot of each row
    values: NDArray[np.float32]  # (cap, len(EVIDENCE))
    because: NDArray[np.int32]  # (cap,) history position that says most for the row, -1 = none
    best: NDArray[np.float32]  # (cap,) what it says
    first: NDArray[np.int32]  # (H,) history position of each own row
    said: NDArray[np.float32]  # (N, 3) of one source's neighbours: chance, cosine, lift
    own_forward: NDArray[np.float32]  # (H, H) the history's own share of fwd, own rows x -> c
    own_together: NDArray[np.float32]  # (H, H)


def new_table(capacity: int, neighbours: int) -> Table:
    """Return scratch space for items in `capacity` slots, of up to so many neighbours."""
    return Table(
        size=np.zeros(1, np.int32),
        distinct=np.zeros(1, np.int32),
        visited=np.zeros(1, np.int32),
        visit_touches=np.zeros(HISTORY, np.int32),
        list=np.full(capacity, -1, np.int32),
        row=np.empty(capacity, np.int32),
        slots=np.empty(capacity, np.int32),
        values=np.empty((capacity, len(EVIDENCE)), np.float32),
        because=np.empty(capacity, np.int32),
        best=np.empty(capacity, np.float32),
        first=np.empty(HISTORY, np.int32),
        said=np.empty((neighbours, 3), np.float32),
        own_forward=np.empty((HISTORY, HISTORY), np.float32),
        own_together=np.empty((HISTORY, HISTORY), np.float32),
    )


@inlined
def row_of(table: Table, b: int, slot: int) -> int:
    """Return the slot's row in list `b`; a new one is all zeros."""
    if table.list[slot] != b:
        row = table.size[0]
        table.size[0] += 1
        table.list[slot] = b
        table.row[slot] = row
        table.slots[row] = slot
        for column in range(len(EVIDENCE)):
            table.values[row, column] = 0.0
        table.because[row] = -1
        table.best[row] = 0.0
    return int(table.row[slot])


@kernel
def add_history(table: Table, histories: Histories, b: int) -> None:
    """Begin list `b`: give each distinct item of its history a row."""
    table.size[0] = table.visited[0] = 0
    visiting, later = True, histories.now[b]
    for position in range(histories.slots.shape[1]):
        slot = histories.slots[b, position]
        visiting = visiting and later - histories.times[b, position] <= VISIT_GAP_MS
        later = histories.times[b, position]
        if slot < 0:
            continue
        known = table.size[0]
        row = row_of(table, b, slot)
        own = table.values[row]
        if row == known:
            table.first[row] = position
            table.visit_touches[row] = 0
            own[OWN_POSITION] = row + 1
            own[OWN_AGE_H] = max(histories.now[b] - histories.times[b, position], 0) / HOUR_MS
        own[OWN_COUNT] += 1.0
        if visiting:
            table.visit_touches[row] += 1
            table.visited[0] = table.size[0]
        if histories.kinds[b, position] == PURCHASE:
            own[OWN_BOUGHT] = 1.0
    table.distinct[0] = table.size[0]


@kernel
def add_own_pairs(table: Table, histories: Histories, b: int) -> None:
    """Sum what history `b` itself has added to the item rows, pair by pair of its own rows."""
    distinct = table.distinct[0]
    table.own_forward[:distinct, :distinct] = 0.0
    table.own_together[:distinct, :distinct] = 0.0
    length = histories.slots.shape[1]
    seen = np.full(distinct, -1, np.int32)
    for later in range(histories.uncounted[b], length):
        if histories.slots[b, later] < 0:
            continue
        c = table.row[histories.slots[b, later]]
        distance = 0
        for earlier in range(later + 1, length):
            if distance == PAIRED:
                break
            if histories.slots[b, earlier] < 0:
                continue
            x = table.row[histories.slots[b, earlier]]
            if seen[x] == later:
                continue
            seen[x] = later
            gap = histories.times[b, later] - histories.times[b, earlier]
            left = histories.left_own[b, later]
            table.own_forward[x, c] += (0.5 if gap > FAR_GAP_MS else 1.0) * left / (distance + 1)
            if x != c:
                table.own_together[x, c] += left
                table.own_together[c, x] += left
            distance += 1


@kernel
def add_neighbours(columns: Columns, table: Table, histories: Histories, b: int) -> None:
    """Add the neighbour scores of list `b`."""
    distinct, left = table.distinct[0], histories.left[b]
    in_weights, reaches = columns.in_weight, columns.reach
    for d in range(min(distinct, SOURCES)):
        source, nearness = table.slots[d], np.float32(1.0 / (d + 1))
        own_out = table.own_forward[d, :distinct].sum()
        out_weight = np.float32(columns.out_weight[source]) * left - own_out
        origin = _origin(out_weight, columns.reach[source] * left)
        count = columns.degree[source]
        slots, ties = columns.neighbours[source, :count], columns.ties[source, :count]
        said = table.said[:count]
        for j in range(count):  # all of them first: no one waits for another
            forward = ties[j, TIE_FORWARD] * left
            together = (ties[j, TIE_FOLLOWED] + ties[j, TIE_PRECEDED]) * left
            counts = forward, together, in_weights[slots[j]] * left, reaches[slots[j]] * left
            said[j, 0], said[j, 1], said[j, 2] = _closeness(origin, counts)
        for j in range(count):
            row = row_of(table, b, slots[j])
            if row < distinct:  # what the history itself has added is taken out
                forward = ties[j, TIE_FORWARD] * left - table.own_forward[d, row]
                together = (ties[j, TIE_FOLLOWED] + ties[j, TIE_PRECEDED]) * left
                together -= table.own_together[d, row]
                own_in = table.own_forward[:distinct, row].sum()
                in_weight = in_weights[slots[j]] * left - own_in
                counts = forward, together, in_weight, reaches[slots[j]] * left
                said[j, 0], said[j, 1], said[j, 2] = _closeness(origin, counts)
            values, bought = table.values[row], ties[j, TIE_BOUGHT]
            chance, cosine, lift = said[j, 0], said[j, 1], said[j, 2]
            if d == 0:
                values[FORWARD_LAST], values[COSINE_LAST], values[LIFT_LAST] = chance, cosine, lift
            values[FORWARD] += nearness * chance
            values[COSINE] += nearness * cosine
            values[LIFT] += nearness * lift
            if bought > 0.0:
                values[BOUGHT] += nearness * chance * bought / ties[j, TIE_FORWARD]
            weight = nearness * (chance + cosine)
            if weight > 0.0:
                values[SUPPORT] += 1.0
            if weight > table.best[row]:
                table.best[row] = weight
                table.because[row] = table.first[d]


@inlined
def _origin(out_weight: np.float32, reach: np.float32) -> tuple[np.float32, np.float32, np.float32]:
    """Return what every neighbour of a source is judged by."""
    out_weight = max(out_weight, np.float32(0.0))
    per_out = np.float32(1.0 / (out_weight + 1.0))
    return per_out, np.float32(1.0 / math.sqrt(out_weight + SHRINK)), reach + np.float32(SHRINK)


@inlined
def _closeness(
    origin: tuple[np.float32, np.float32, np.float32],
    counts: tuple[np.float32, np.float32, np.float32, np.float32],
) -> tuple[np.float32, np.float32, np.float32]:
    """Return chance, cosine and lift by forward, together, weight in and reach of a neighbour.

    Rows are bounded, so that the history may have added what is no longer there: below 0 is 0.
    """
    per_out, out_norm, reach_of_source = origin
    none, shrink = np.float32(0.0), np.float32(SHRINK)
    forward, together = max(counts[0], none), max(counts[1], none)
    cosine = together / np.float32(math.sqrt(reach_of_source * (counts[3] + shrink)))
    lift = forward * out_norm / np.float32(math.sqrt(max(counts[2], none) + shrink))
    return forward * per_out, cosine, lift


@kernel
def add_matches(table: Table, searches: Searches, b: int) -> None:
    """Add what the search of list `b` matches."""
    for i in range(searches.start[b], searches.start[b + 1]):
        slot = searches.slots[i]
        if slot < len(table.list):  # else the item is newer than the columns of this batch
            table.values[row_of(table, b, slot), TITLE + searches.kinds[i]] += searches.values[i]
