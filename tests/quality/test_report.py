"""The page is whole by itself: no script, nothing from elsewhere, and no text taken for markup."""

import pytest

from features.events import Click, Item, Search
from streams.quality.measure import Measure
from streams.quality.report import page
from streams.quality.result import Quality
from streams.quality.words import headline, tables
from tests.pages import check_alone, check_colours, read

T = 1_700_000_000_000
EVIL = '<script>alert("&")</script>'


@pytest.fixture
def quality() -> Quality:
    measure = Measure()
    measure.item(Item(item_id=EVIL, price=4.0, category=(EVIL,)))
    for number in range(40):
        measure.event(
            Click(
                event_id=str(number),
                user_id=EVIL,
                item_id=EVIL,
                ts=T + 1_000 * (number % 7),
                price=float(number),
            ),
            EVIL,
        )
    measure.event(Search(event_id="s", user_id="bob", query=EVIL, ts=T), EVIL)
    measure.refused("bad_value", EVIL)
    return measure.quality(EVIL)


def test_nothing_is_loaded_and_nothing_runs(quality: Quality) -> None:
    check_alone(page(quality))


def test_texts_from_the_data_are_shown_as_they_are(quality: Quality) -> None:
    text = "".join(read(page(quality)).text)
    assert text.count(EVIL) >= 3


def test_every_histogram_is_drawn_and_every_table_shown(quality: Quality) -> None:
    found = read(page(quality))
    drawn = quality.drawn()
    assert {one.name for one in drawn} == {
        *("price", "list_price", "per_user", "gap", "hour", "session"),
        *("behind_log", "behind_user"),
    }
    assert found.tags.count("figure") == len(drawn)
    assert found.tags.count("i") == sum(bool(bar.count) for one in drawn for bar in one.bins)
    text = "".join(found.text)
    for table in tables(quality):
        assert table.title in text
        for cell in [*table.heads, *(cell for row in table.rows for cell in row)]:
            assert cell in text
    for name, value in headline(quality):
        assert name in text
        assert value in text


def test_both_schemes_have_every_colour_that_is_used(quality: Quality) -> None:
    check_colours(page(quality))


def test_an_empty_log_has_a_page() -> None:
    assert read(page(Measure().quality("nothing"))).tags.count("figure") == 0
