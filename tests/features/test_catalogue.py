"""The catalogue describes every field and feature, and no value lies outside its range."""

from functools import reduce
from math import isfinite

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec.structs import replace
from numpy.typing import NDArray

from features import item as item_rows
from features import profile as user_rows
from features import vector
from features.catalogue import BOOKKEEPING, FEATURES, Owner, Value, features_of, values
from features.cleaning import clean_item
from features.events import LAST_TS, Click, Event, Item, Search
from features.item import ItemRow
from features.levels import CategoryLevels
from features.profile import Profile
from features.signals import Signals, signal_of
from features.standing import Standing, figures_of, standing
from ranker.evidence import HISTORY, SOURCES
from tests.features.strategies import events, item_ids, short_or_long

ROUNDING = 1e-4  # of 32 bits
FACTORS = arrays(np.float32, 16, elements=st.floats(-10, 10, width=32))
PRICES = st.none() | st.floats(0, 1e12)
NOW = st.integers(0, LAST_TS)


@st.composite
def rows(draw: st.DrawFn) -> Profile:
    """A user row after any events, in any order, with factors or without."""
    done = draw(short_or_long(events, 70))
    priced = [
        event if isinstance(event, Search) else replace(event, price=draw(PRICES)) for event in done
    ]
    row = reduce(_learn, enumerate(priced), user_rows.new_profile())
    if draw(st.booleans()):
        row = replace(row, factors=draw(FACTORS).tobytes(), bias=draw(st.floats(-9, 9)))
    return row


def _learn(row: Profile, numbered: tuple[int, Event]) -> Profile:
    return user_rows.learn(row, numbered[1], source=0, offset=numbered[0])


entries = st.builds(
    Item,
    item_id=st.just("mug"),
    title=st.none() | st.text(max_size=40),
    category=st.none() | st.lists(st.text(max_size=5), max_size=12).map(tuple),
    brand=st.none() | st.text(max_size=5),
    price=PRICES,
    in_stock=st.booleans(),
    available_from=st.none() | st.integers(0, LAST_TS // 2),
    available_to=st.none() | st.integers(LAST_TS // 2, LAST_TS),
).map(clean_item)


@st.composite
def items(draw: st.DrawFn) -> ItemRow:
    """An item row after any signals and catalogue entries."""
    row = item_rows.new_item()
    if draw(st.booleans()):
        row = item_rows.catalogued(row, draw(st.none() | entries), 0)
    user = draw(rows())
    touched = [event for event in draw(short_or_long(events, 40)) if not isinstance(event, Search)]
    told = tuple(signal_of(user, event, offset) for offset, event in enumerate(touched))
    row = item_rows.learn(row, Signals(0, told), neighbours=draw(st.integers(1, 5)))
    if draw(st.booleans()):
        row = replace(row, factors=draw(FACTORS).tobytes(), bias=draw(st.floats(-9, 9)))
    return row


def _inside(owner: Owner, found: dict[str, Value]) -> None:
    for feature in features_of(owner):
        value = found[feature.name]
        if value is None:
            assert feature.missing is None, f"{feature.name} is none, but has a default"
        else:
            assert isfinite(value), feature.name
            slack = ROUNDING if owner == "list" else 0
            assert feature.low - slack <= value <= feature.high + slack, (feature.name, value)


@given(row=rows(), now=NOW)
def test_a_user_rows_values_lie_in_their_ranges(row: Profile, now: int) -> None:
    _inside("user", values("user", row, now))


@given(row=items(), now=NOW)
def test_an_item_rows_values_lie_in_their_ranges(row: ItemRow, now: int) -> None:
    _inside("item", values("item", row, now))


@given(row=items(), others=st.lists(items(), max_size=3), copies=st.integers(0, 5))
def test_a_standings_values_lie_in_their_ranges(
    row: ItemRow, others: list[ItemRow], copies: int
) -> None:
    levels = CategoryLevels()
    for slot, one in enumerate([row] * copies + others):
        figures = figures_of(one)
        if figures is not None:
            levels.put(slot, figures)
    _inside("standing", values("standing", standing(row, levels), 0))


def _raw(lists: int, candidates: int) -> st.SearchStrategy[NDArray[np.float32]]:
    """Draw raw scores as generators give them: flags, shares, counts, logits."""
    flags = {"own_bought", "attention_known", "factors_known"}
    shares = {"price_fit", "category_share", "brand_share", "own_again"}
    most = {"support": SOURCES, "own_count": HISTORY, "own_visit": HISTORY, "own_position": HISTORY}

    def of(name: str) -> st.SearchStrategy[NDArray[np.float32]]:
        elements = st.floats(0, most.get(name, 1e6), width=32)
        if name in flags or name in most:
            elements = st.integers(0, most.get(name, 1)).map(float)
        elif name in shares or name.startswith(("rank_", "affinity_")):
            elements = st.floats(0, 1, width=32)
        elif name.endswith("_lead") or name == "similar_last":
            elements = st.floats(-1, 1, width=32)
        elif name in {"attention", "factors"}:
            elements = st.floats(-1e4, 1e4, width=32)
        return arrays(np.float32, (lists, candidates), elements=elements)

    def joined(planes: tuple[NDArray[np.float32], ...]) -> NDArray[np.float32]:
        scores = np.stack(planes, axis=-1)
        # A longer half-life never counts less.
        popular = [vector.SCORES.index(f"popular_{after}") for after in ("1h", "1d", "7d", "30d")]
        scores[..., popular] = np.sort(scores[..., popular], axis=-1)
        # A visit is a part of the history.
        own = [vector.SCORES.index(name) for name in ("own_visit", "own_count")]
        scores[..., own] = np.sort(scores[..., own], axis=-1)
        return scores

    return st.tuples(*map(of, vector.SCORES)).map(joined)


@given(scores=_raw(2, 3))
def test_a_lists_values_lie_in_their_ranges(scores: NDArray[np.float32]) -> None:
    found = vector.compute(scores, np.ones(scores.shape[:2], np.bool_))
    for candidate in found.reshape(-1, found.shape[-1]):
        _inside("list", values("list", candidate, 0))


def test_every_field_of_a_row_is_described_once() -> None:
    kinds: dict[Owner, type[Profile | ItemRow | Standing]] = {
        "user": Profile,
        "item": ItemRow,
        "standing": Standing,
    }
    for owner, kind in kinds.items():
        read = {feature.field for feature in features_of(owner)}
        kept = set(BOOKKEEPING.get(owner, {}))
        assert read | kept == set(kind.__struct_fields__), (
            f"describe the {owner} row's new fields in features/of_{owner}s.py"
        )
        assert not read & kept


def test_every_feature_of_the_vector_is_described_in_its_order() -> None:
    assert [feature.name for feature in features_of("list")] == list(vector.NAMES)
    marked = np.arange(len(vector.NAMES), dtype=np.float32)
    assert list(values("list", marked, 0).values()) == marked.tolist()


def test_where_nothing_is_known_stands_what_is_missing() -> None:
    nothing = np.zeros(len(vector.NAMES), np.float32)
    alone = standing(item_rows.new_item(), CategoryLevels())
    for found in (
        (features_of("user"), values("user", user_rows.new_profile(), 0)),
        (features_of("item"), values("item", item_rows.new_item(), 0)),
        (features_of("standing"), values("standing", alone, 0)),
        (features_of("list"), values("list", nothing, 0)),
    ):
        described, held = found
        assert held == {feature.name: feature.missing for feature in described}


def test_names_are_unique_and_texts_are_sentences() -> None:
    names = [(feature.owner, feature.name) for feature in FEATURES]
    assert len(set(names)) == len(names)
    for feature in FEATURES:
        assert feature.meaning.endswith("."), feature.name
        assert feature.unit, feature.name
        assert "|" not in feature.meaning + feature.unit
        assert feature.low < feature.high


@given(row=rows(), item_id=item_ids)
def test_values_follow_the_row(row: Profile, item_id: str) -> None:
    """One more click counts one more, in what counts clicks."""
    now = row.newest_ts + 1
    click = Click(event_id="one more", user_id="u", item_id=item_id, ts=now)
    before = values("user", row, now)
    after = values("user", user_rows.learn(row, click, 1, 0), now)
    counted = [name for name in before if name.startswith(("click_total", "click_last"))]
    assert len(counted) == 5
    for name in counted:
        assert after[name] == (before[name] or 0) + 1
    assert after["idle_h"] == 0
