"""An index that is told what has changed of rows holds what one that is told all of them holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from features.decay import DAY_MS
from features.events import Item, Kind
from features.item import ItemRow, catalogued, learn, new_item
from features.levels import CategoryLevels
from features.signals import MAX_HISTORY, Signals, Touched
from ranker.item_state import NO_MARK
from ranker.items import ItemIndex
from streams.broadcast import forget_item, show_items
from streams.item_states import item_state

START = 1_700_000_000_000
SOURCES = [f"x{number}" for number in range(60)]
HALF_LIFE_MS = 8 * DAY_MS
KEPT = 25

histories = st.lists(st.sampled_from(SOURCES), max_size=MAX_HISTORY, unique=True)
touches = st.builds(
    lambda kind, history, near, bought, days: Touched(
        0, START + days * DAY_MS // 8, kind, tuple(history), min(near, len(history)), bought=bought
    ),
    st.sampled_from([int(Kind.CLICK), int(Kind.PURCHASE)]),
    histories,
    st.integers(0, MAX_HISTORY),
    st.integers(0, (1 << MAX_HISTORY) - 1),
    st.integers(0, 17),  # a turn, of two days, ends once in some examples
)
FULL = [Touched(n, START, 0, tuple(SOURCES[10 * n : 10 * n + 10]), MAX_HISTORY) for n in range(4)]
"""So much is known before, that the next touches change less than half of it."""
said = st.lists(st.tuples(touches, st.booleans()), max_size=30)


def folded(row: ItemRow, touch: Touched, offset: int) -> ItemRow:
    entry = Touched(offset, *(getattr(touch, name) for name in touch.__struct_fields__[1:]))
    return learn(row, Signals(0, (entry,)), KEPT, HALF_LIFE_MS)


def pairs_of(index: ItemIndex) -> dict[str, dict[str, tuple[float, ...]]]:
    rows = index.columns
    return {
        index.ids[owner]: {
            index.ids[rows.neighbours[owner, j]]: tuple(rows.ties[owner, j].tolist())
            for j in range(rows.degree[owner])
        }
        for owner in range(len(index))
    }


@settings(max_examples=60)
@given(said, st.booleans())
def test_partial_states_add_up_to_whole_ones(
    told: list[tuple[Touched, bool]], catalogue: bool
) -> None:
    parts, whole = (ItemIndex(2 * KEPT + MAX_HISTORY, half_life_ms=HALF_LIFE_MS) for _ in "ab")
    levels, row, partial = CategoryLevels(), new_item(), 0
    shown = [(touch, False) for touch in FULL[:-1]] + [(FULL[-1], True)] + told
    for offset, (touch, show) in enumerate(shown):
        row = folded(row, touch, offset)
        if catalogue:
            row = catalogued(row, Item(item_id="c", title="Mug"), offset)
        if show:
            partial += item_state("c", row, known=parts.mark(parts.slot("c"))).partial
            show_items(parts, levels, [("c", row)])
            whole.put(item_state("c", row))
    assert pairs_of(parts) == pairs_of(whole)
    if told and told[0][1] and told[0][0].ts == START:
        assert partial, "else this test tests nothing"


def test_what_was_told_twice_is_told_no_more() -> None:
    index, row = ItemIndex(), new_item()
    for offset, touch in enumerate(FULL):
        row = folded(row, touch, offset)
    show_items(index, CategoryLevels(), [("c", row)])
    again = item_state("c", row, known=index.mark(index.slot("c")))
    assert (again.partial, len(again.predecessors)) == (True, 0)
    after = pairs_of(index)
    show_items(index, CategoryLevels(), [("c", row)])
    assert pairs_of(index) == after


def test_an_item_that_was_forgotten_is_told_whole() -> None:
    index, levels, row = ItemIndex(), CategoryLevels(), new_item()
    for offset, touch in enumerate(FULL):
        row = folded(row, touch, offset)
    show_items(index, levels, [("c", row)])
    before = pairs_of(index)
    forget_item(index, levels, "c")
    assert index.mark(index.slot("c")) == NO_MARK
    show_items(index, levels, [("c", row)])
    assert pairs_of(index) == before


def test_of_more_than_a_list_has_room_for_the_closest_stay() -> None:
    index, row = ItemIndex(neighbours=20), new_item()
    for offset, touch in enumerate(FULL):
        row = folded(row, touch, offset)
    show_items(index, CategoryLevels(), [("c", row)])
    for offset in range(3):
        row = folded(row, Touched(0, START, 0, ("new",), MAX_HISTORY), 10 + offset)
        state = item_state("c", row, known=index.mark(index.slot("c")))
        assert state.partial
        show_items(index, CategoryLevels(), [("c", row)])
    rows, c = index.columns, index.slot("c")
    sources = [index.ids[slot] for slot in rows.sources[c, : rows.sourced[c]]]
    assert len(sources) == len(set(sources)) == 20
    assert "new" in sources
    weights = {name: row.predecessors[0][name] for name in row.predecessors[0]}
    weakest = min(weights[name] for name in sources)
    assert weakest >= max(weight for name, weight in weights.items() if name not in sources)
