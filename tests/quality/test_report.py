"""The page is whole by itself: no script, nothing from elsewhere, and no text taken for markup."""

import re
from html.parser import HTMLParser

import pytest

from features.events import Click, Item, Search
from streams.quality.measure import Measure
from streams.quality.report import page
from streams.quality.result import Quality
from streams.quality.words import headline, tables

T = 1_700_000_000_000
EVIL = '<script>alert("&")</script>'
LOADS = ("src", "href", "xlink:href", "action", "data", "srcset", "poster")


class Reader(HTMLParser):
    """Collects tags, what they would load, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{name}={value}" for name, value in attrs if name in LOADS]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


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
    made = page(quality)
    found = read(made)
    assert found.loads == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.tags)
    assert "@import" not in made
    assert "url(" not in made
    assert "//" not in made


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
    for title, heads, rows in tables(quality):
        assert title in text
        for cell in [*heads, *(cell for row in rows for cell in row)]:
            assert cell in text
    for name, value in headline(quality):
        assert name in text
        assert value in text


def test_both_schemes_have_every_colour_that_is_used(quality: Quality) -> None:
    made = page(quality)
    used = set(re.findall(r"var\((--\w+)\)", made)) - {"--part"}  # the length of a bar
    light, dark = re.findall(r":root \{([^}]*)\}", made)
    assert used
    assert used <= set(re.findall(r"(--\w+):", light))
    assert used <= set(re.findall(r"(--\w+):", dark))


def test_an_empty_log_has_a_page() -> None:
    assert read(page(Measure().quality("nothing"))).tags.count("figure") == 0
