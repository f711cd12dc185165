"""An item row is a fold over signals and catalogue records, and says what a recount says."""

from collections import Counter, defaultdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from features.events import Event, Item, Search
from features.item import (
    HALF_LIVES_MS,
    MAX_PASSAGES,
    MAX_QUERIES,
    NEVER,
    WEIGHT_ONE,
    ItemRow,
    catalogued,
    closeness,
    decode_item,
    encode_item,
    learn,
    new_item,
    pair,
    parts,
)
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


def check(row: ItemRow, said: list[Touched]) -> None:
    """Compare every field with its definition over all entries, in floating point."""
    assert row.n == len(said)
    assert row.touches == tuple(sum(t.kind == kind for t in said) for kind in range(3))
    stamps = [t.ts for t in said]
    assert row.first_seen == min(stamps, default=NEVER)
    assert row.last_seen == max(stamps, default=NEVER)
    assert row.popularity.ts == max(stamps, default=0)
    for value, half_life in zip(row.popularity.values, HALF_LIVES_MS, strict=False):
        expected = sum(2.0 ** ((ts - row.last_seen) / half_life) for ts in stamps)
        assert value == pytest.approx(expected, rel=1e-9)
    weights: dict[str, float] = defaultdict(float)
    for t in said:
        for distance, other in enumerate(t.history):
            weights[other] += weigh(distance, t.near)
    passages = Counter(other for t in said for other in t.history)
    assert row.predecessors.keys() == weights.keys()
    for other, stored in row.predecessors.items():
        weight, count = parts(stored)
        assert weight / WEIGHT_ONE == pytest.approx(weights[other])
        assert count == passages[other]
    assert row.in_weight / WEIGHT_ONE == pytest.approx(sum(weights.values()))
    assert row.queries == Counter(key for t in said for key in query_keys(t.query))


@settings(max_examples=40)
@given(fresh_events(60))
def test_every_prefix_equals_a_recount(fresh: list[Event]) -> None:
    for entries in said_by(fresh).values():
        row = new_item()
        for length, entry in enumerate(entries, start=1):
            row = learn(row, Signals(0, (entry,)))
            check(row, entries[:length])


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
    assert row.n == 2
    assert row.applied == {0: 5, 1: 5}


def test_learning_leaves_the_row_before_as_it_was() -> None:
    row = learn(new_item(), Signals(0, (Touched(0, START, 0, ("a",), 1, "mug"),)))
    copy = decode_item(encode_item(row))
    learn(row, Signals(0, (Touched(1, START, 0, ("a", "b"), 1, "mug"),)))
    assert row == copy
    assert new_item() == ItemRow()


def follow(row: ItemRow, offset: int, *items: str) -> ItemRow:
    entries = tuple(Touched(offset + n, START, 0, (item,), 1) for n, item in enumerate(items))
    return learn(row, Signals(0, entries), neighbours=3)


def test_predecessors_are_pruned_at_twice_their_number_to_the_closest_then_the_newest() -> None:
    row = follow(new_item(), 0, "a", "a", "b", "c", "d", "e", "f")
    assert list(row.predecessors) == ["a", "b", "c", "d", "e", "f"]
    row = follow(row, 10, "g")
    assert list(row.predecessors) == ["a", "f", "g"]
    assert parts(row.predecessors["a"]) == (2 * WEIGHT_ONE, 2)
    assert row.in_weight == 8 * WEIGHT_ONE, "what was pruned still happened"


@given(st.integers(0, 2**40), st.integers(0, MAX_PASSAGES))
def test_a_pair_is_two_numbers_in_one(weight: int, passages: int) -> None:
    assert parts(pair(weight, passages)) == (weight, passages)
    assert closeness(pair(weight, passages)) == weight + passages * WEIGHT_ONE // 4


def test_passages_that_are_full_stay_full_and_never_run_into_the_weight() -> None:
    row = ItemRow(predecessors={"a": pair(7, MAX_PASSAGES - 1)})
    row = follow(row, 0, "a", "a", "a")
    assert parts(row.predecessors["a"]) == (7 + 3 * WEIGHT_ONE, MAX_PASSAGES)


def test_queries_are_bounded_and_the_frequent_ones_stay() -> None:
    row = new_item()
    for offset in range(300):
        query = "mug" if offset % 3 == 0 else f"q{offset}"
        row = learn(row, Signals(0, (Touched(offset, START, 0, (), 0, query),)))
        assert len(row.queries) <= 2 * MAX_QUERIES
    assert row.queries["=mug"] == row.queries["~mug"] == row.queries["mug"] == 100


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
        assert list(decode_item(encode_item(row)).predecessors) == list(row.predecessors)


def test_bytes_that_are_no_row_of_this_version_are_refused() -> None:
    with pytest.raises(BadRow, match="not an item row"):
        decode_item(b"\xc1")
    with pytest.raises(BadRow, match="an item row has version 2, this program reads 1"):
        decode_item(encode_item(ItemRow(version=2)))
