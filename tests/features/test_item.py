"""An item row is a fold over signals and catalogue records, and says what a recount says."""

from collections import Counter, defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from features.decay import DAY_MS, HOUR_MS
from features.events import Event, Item, Kind, Search
from features.fading import ONE, TURNS, turn_start
from features.item import (
    HALF_LIVES_MS,
    MAX_QUERIES,
    NEVER,
    VERSION,
    ItemRow,
    aged,
    catalogued,
    decode_item,
    encode_item,
    learn,
    new_item,
)
from features.predecessors import WEIGHT_ONE, parts
from features.profile import learn as learn_user
from features.profile import new_profile
from features.rows import BadRow
from features.signals import Signals, Touched, signal_of
from features.text import query_keys
from tests.features.strategies import START, fresh_events

Said = dict[str, list[Touched]]
"""Item -> what one user's events say about it, in offset order."""


def said_by(events: list[Event]) -> Said:
    row, said = new_profile(), defaultdict(list)
    for offset, event in enumerate(events):
        if not isinstance(event, Search):
            said[event.item_id].append(signal_of(row, event, offset))
        row = learn_user(row, event, 0, offset)
    return said


def weigh(distance: int, near: int) -> float:
    return (1.0 if distance < near else 0.5) / (distance + 1)


def near(expected: float, added: int) -> Any:
    """Allow for rounding down: at every turn, and of every pair's weight once."""
    return pytest.approx(expected, rel=1e-3, abs=(5 + added) / WEIGHT_ONE + 7 / ONE)


def check(row: ItemRow, said: list[Touched], half_life_ms: int = 0) -> None:
    """Compare every field with its definition over all entries, in floating point."""
    as_of = turn_start(max((t.ts for t in said), default=0), half_life_ms)
    assert row.as_of == as_of

    def left(t: Touched) -> float:
        turns = (as_of - turn_start(t.ts, half_life_ms)) / (half_life_ms or 1) * TURNS
        return float(2.0 ** (-turns / TURNS))

    assert row.reach / ONE == near(sum(map(left, said)), 0)
    assert row.touches == tuple(sum(t.kind == kind for t in said) for kind in range(3))
    stamps = [t.ts for t in said]
    assert row.first_seen == min(stamps, default=NEVER)
    assert row.last_seen == max(stamps, default=NEVER)
    assert row.popularity.ts == max(stamps, default=0)
    for value, half_life in zip(row.popularity.values, HALF_LIVES_MS, strict=False):
        expected = sum(2.0 ** ((ts - row.last_seen) / half_life) for ts in stamps)
        assert value == pytest.approx(expected, rel=1e-9)
    pairs: defaultdict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    queries: Counter[str] = Counter()
    for t in said:
        for distance, other in enumerate(t.history):
            kind = 2 * (t.bought >> distance & 1) + (t.kind == Kind.PURCHASE)
            pairs[kind, other].append((weigh(distance, t.near) * left(t), left(t)))
        queries.update({key: left(t) for key in query_keys(t.query)})
    for kind, known in enumerate(row.predecessors):
        for other, stored in known.items():
            weight, count = parts(stored)
            told = pairs.pop((kind, other))
            assert weight / WEIGHT_ONE == near(sum(w for w, _ in told), len(told))
            assert count / ONE == near(sum(n for _, n in told), 0)
    assert all(sum(n for _, n in told) < 8 / ONE for told in pairs.values()), "only these may go"
    for key, count in row.queries.items():
        assert count / ONE == near(queries.pop(key), 0)
    assert all(count < 8 / ONE for count in queries.values())


@settings(max_examples=40)
@given(fresh_events(60), st.sampled_from([0, 4 * HOUR_MS, 30 * DAY_MS]))
def test_every_prefix_equals_a_recount(fresh: list[Event], half_life_ms: int) -> None:
    for entries in said_by(fresh).values():
        row = new_item()
        for length, entry in enumerate(entries, start=1):
            row = learn(row, Signals(0, (entry,)), half_life_ms=half_life_ms)
            check(row, entries[:length], half_life_ms)


@given(fresh_events(40), st.integers(0, 40))
def test_what_fades_ends_as_nothing_and_what_is_counted_for_ever_stays(
    fresh: list[Event], half_lives: int
) -> None:
    half_life_ms = 4 * HOUR_MS
    for entries in said_by(fresh).values():
        row = learn(new_item(), Signals(0, tuple(entries)), half_life_ms=half_life_ms)
        later = aged(row, row.last_seen + half_lives * half_life_ms, half_life_ms)
        assert later.reach <= row.reach / 2**half_lives
        assert later.touches == row.touches
        if half_lives == 40:
            assert (later.in_weight, later.reach, later.queries) == (0, 0, {})
            assert not any(later.predecessors), "idle neighbours expire"


@settings(max_examples=40)
@given(st.lists(fresh_events(25), min_size=1, max_size=4), st.randoms())
def test_sources_may_be_interleaved_in_any_way_and_cut_anywhere(
    users: list[list[Event]], rng: Random
) -> None:
    said = [said_by(events) for events in users]
    for item_id in {item_id for one in said for item_id in one}:
        rows = [new_item(), new_item()]
        for place in (0, 1):
            waiting = [(source, one[item_id]) for source, one in enumerate(said) if item_id in one]
            while waiting:
                source, entries = waiting.pop(rng.randrange(len(waiting)) if place else 0)
                end = entries[rng.randrange(len(entries))].offset if place else entries[-1].offset
                now = tuple(e for e in entries if e.offset <= end)
                rows[place] = learn(rows[place], Signals(source, now))
                if rest := [e for e in entries if e.offset > end]:
                    waiting.append((source, rest))
        one, other = rows
        assert one.popularity.ts == other.popularity.ts
        assert one.popularity.values == pytest.approx(other.popularity.values, rel=1e-9)
        assert replace(one, popularity=other.popularity) == other


@given(fresh_events(40), st.data())
def test_what_was_applied_is_skipped_entry_by_entry(
    fresh: list[Event], data: st.DataObject
) -> None:
    for entries in said_by(fresh).values():
        whole = learn(new_item(), Signals(4, tuple(entries)))
        assert learn(whole, Signals(4, tuple(entries))) is whole
        cut = data.draw(st.sampled_from([entry.offset for entry in entries]))
        head = tuple(entry for entry in entries if entry.offset <= cut)
        assert learn(learn(new_item(), Signals(4, head)), Signals(4, tuple(entries))) == whole


def test_another_source_with_the_same_offset_is_another_event() -> None:
    entry = Touched(5, START, 0, (), 0)
    row = learn(learn(new_item(), Signals(0, (entry,))), Signals(1, (entry,)))
    assert row.touches == (2, 0, 0)
    assert row.applied == {0: 5, 1: 5}


def test_learning_leaves_the_row_before_as_it_was() -> None:
    row = learn(new_item(), Signals(0, (Touched(0, START, 0, ("a",), 1, "mug"),)))
    copy = decode_item(encode_item(row))
    learn(row, Signals(0, (Touched(1, START, 0, ("a", "b"), 1, "mug"),)))
    assert row == copy
    assert new_item() == ItemRow()


def names(row: ItemRow) -> list[str]:
    """Return the items that were viewed before the item was."""
    return list(row.predecessors[0])


def follow(row: ItemRow, offset: int, *items: str) -> ItemRow:
    entries = tuple(Touched(offset + n, START, 0, (item,), 1) for n, item in enumerate(items))
    return learn(row, Signals(0, entries), neighbours=3)


def test_predecessors_are_pruned_at_twice_their_number_to_the_closest_then_the_newest() -> None:
    row = follow(new_item(), 0, "a", "a", "b", "c", "d", "e", "f")
    assert names(row) == ["a", "b", "c", "d", "e", "f"]
    row = follow(row, 10, "g")
    assert names(row) == ["a", "f", "g"]
    assert parts(row.predecessors[0]["a"]) == (2 * WEIGHT_ONE, 2 * ONE)
    assert row.in_weight == 8 * WEIGHT_ONE, "what was pruned still happened"


def test_queries_are_bounded_and_the_frequent_ones_stay() -> None:
    row = new_item()
    for offset in range(300):
        query = "mug" if offset % 3 == 0 else f"q{offset}"
        row = learn(row, Signals(0, (Touched(offset, START, 0, (), 0, query),)))
        assert len(row.queries) <= 2 * MAX_QUERIES
    assert row.queries["=mug"] == row.queries["~mug"] == row.queries["mug"] == 100 * ONE


MUG = Item(item_id="i", title="Mug", price=4.5, attributes={"colour": "red", "size": 3})


def test_the_newest_catalogue_record_counts_and_replays_do_not() -> None:
    row = catalogued(new_item(), MUG, 5)
    assert (row.item, row.deleted, row.catalog_offset) == (MUG, False, 5)
    assert catalogued(row, None, 5) is row
    assert catalogued(row, None, 4) is row
    gone = catalogued(row, None, 6)
    assert (gone.item, gone.deleted) == (None, True)
    back = catalogued(gone, MUG, 7)
    assert (back.item, back.deleted) == (MUG, False)


@given(fresh_events(30), st.binary(max_size=64), st.none() | st.just(MUG))
def test_a_row_survives_its_encoding(fresh: list[Event], factors: bytes, item: Item | None) -> None:
    for entries in said_by(fresh).values():
        row = learn(ItemRow(factors=factors, bias=0.5), Signals(3, tuple(entries)))
        row = catalogued(row, item, 9)
        assert decode_item(encode_item(row)) == row
        for read, told in zip(
            decode_item(encode_item(row)).predecessors, row.predecessors, strict=True
        ):
            assert list(read) == list(told)


def test_bytes_that_are_no_row_of_this_version_are_refused() -> None:
    with pytest.raises(BadRow, match="not an item row"):
        decode_item(b"\xc1")
    read = " and ".join(map(str, range(1, VERSION + 1)))
    with pytest.raises(BadRow, match=f"has version {VERSION + 1}, this program reads {read}"):
        decode_item(encode_item(ItemRow(version=VERSION + 1)))
