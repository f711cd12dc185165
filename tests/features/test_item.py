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
    MAX_QUERIES,
    NEVER,
    WEIGHT_ONE,
    ItemRow,
    catalogued,
    decode_item,
    encode_item,
    learn,
    new_item,
)
from features.profile import learn as learn_user
from features.profile import new_profile
from features.rows import BadRow
from features.signals import Entry, Followed, Signals, Touched, signals_of
from features.text import query_keys
from tests.features.strategies import START, fresh_events

Said = dict[str, list[Entry]]
"""Item -> what one user's events say about it, in offset order."""


def said_by(events: list[Event]) -> Said:
    row, said = new_profile(), defaultdict(list)
    for offset, event in enumerate(events):
        if not isinstance(event, Search):
            for item_id, entry in signals_of(row, event, offset):
                said[item_id].append(entry)
        row = learn_user(row, event, 0, offset)
    return said


def weigh(distance: int, *, far: bool) -> float:
    return (0.5 if far else 1.0) / (distance + 1)


def check(row: ItemRow, item_id: str, said: list[Entry]) -> None:
    """Compare every field with its definition over all entries, in floating point."""
    touched = [entry for entry in said if isinstance(entry, Touched)]
    followed = [entry for entry in said if isinstance(entry, Followed)]
    assert row.n == len(touched)
    assert row.touches == tuple(sum(t.kind == kind for t in touched) for kind in range(3))
    stamps = [t.ts for t in touched]
    assert row.first_seen == min(stamps, default=NEVER)
    assert row.last_seen == max(stamps, default=NEVER)
    assert row.popularity.ts == max(stamps, default=0)
    for value, half_life in zip(row.popularity.values, HALF_LIVES_MS, strict=False):
        expected = sum(2.0 ** ((ts - row.last_seen) / half_life) for ts in stamps)
        assert value == pytest.approx(expected, rel=1e-9)
    forward: dict[str, float] = defaultdict(float)
    for f in followed:
        forward[f.item_id] += weigh(f.distance, far=f.far)
    passages = Counter(f.item_id for f in followed if f.item_id != item_id)
    passages.update(x for t in touched for x, _, _ in t.history)
    assert set(row.neighbours) == set(forward) | set(passages)
    for other, (weight, count) in row.neighbours.items():
        assert weight / WEIGHT_ONE == pytest.approx(forward.get(other, 0.0))
        assert count == passages[other]
    assert row.out_weight / WEIGHT_ONE == pytest.approx(sum(forward.values()))
    incoming = sum(weigh(d, far=far) for t in touched for _, d, far in t.history)
    assert row.in_weight / WEIGHT_ONE == pytest.approx(incoming + forward.get(item_id, 0.0))
    assert row.queries == Counter(key for t in touched for key in query_keys(t.query))


@settings(max_examples=40)
@given(fresh_events(60))
def test_every_prefix_equals_a_recount(fresh: list[Event]) -> None:
    for item_id, entries in said_by(fresh).items():
        row = new_item()
        offsets = sorted({entry.offset for entry in entries})
        for offset in offsets:
            row = learn(row, Signals(0, tuple(e for e in entries if e.offset == offset)))
            check(row, item_id, [e for e in entries if e.offset <= offset])


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
    entry = Touched(5, START, 0, ())
    row = learn(learn(new_item(), Signals(0, (entry,))), Signals(1, (entry,)))
    assert row.n == 2
    assert row.applied == {0: 5, 1: 5}


def test_learning_leaves_the_row_before_as_it_was() -> None:
    history = (("a", 0, False),)
    row = learn(new_item(), Signals(0, (Touched(0, START, 0, history, "mug"),)))
    copy = decode_item(encode_item(row))
    learn(
        row, Signals(0, (Touched(1, START, 0, history, "mug"), Followed(2, 0, "b", 0, far=False)))
    )
    assert row == copy
    assert new_item() == ItemRow()


def follow(row: ItemRow, offset: int, *items: str) -> ItemRow:
    entries = tuple(Followed(offset + n, START, item, 0, far=False) for n, item in enumerate(items))
    return learn(row, Signals(0, entries), neighbours=3)


def test_neighbours_are_pruned_at_twice_their_number_to_the_heaviest_then_the_newest() -> None:
    row = follow(new_item(), 0, "a", "a", "b", "c", "d", "e", "f")
    assert list(row.neighbours) == ["a", "b", "c", "d", "e", "f"]
    row = follow(row, 10, "g")
    assert list(row.neighbours) == ["a", "f", "g"]
    assert row.neighbours["a"] == (2 * WEIGHT_ONE, 2)
    assert row.out_weight == 8 * WEIGHT_ONE, "what was pruned still happened"


def test_queries_are_bounded_and_the_frequent_ones_stay() -> None:
    row = new_item()
    for offset in range(300):
        query = "mug" if offset % 3 == 0 else f"q{offset}"
        row = learn(row, Signals(0, (Touched(offset, START, 0, (), query),)))
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
        assert list(decode_item(encode_item(row)).neighbours) == list(row.neighbours)


def test_bytes_that_are_no_row_of_this_version_are_refused() -> None:
    with pytest.raises(BadRow, match="not an item row"):
        decode_item(b"\xc1")
    with pytest.raises(BadRow, match="an item row has version 2, this program reads 1"):
        decode_item(encode_item(ItemRow(version=2)))
