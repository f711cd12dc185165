"""Looks at a report as a browser would."""

import re
from html.parser import HTMLParser

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


def check_alone(page: str) -> None:
    """Check that nothing is loaded and nothing runs."""
    found = read(page)
    assert found.loads == []
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(found.tags)
    assert "@import" not in page
    assert "url(" not in page
    assert "//" not in page


def check_colours(page: str) -> None:
    """Check that both schemes have every colour that is used."""
    used = set(re.findall(r"var\((--\w+)\)", page)) - {"--part"}  # the length of a bar
    light, dark = re.findall(r":root \{([^}]*)\}", page)
    assert used
    assert used <= set(re.findall(r"(--\w+):", light))
    assert used <= set(re.findall(r"(--\w+):", dark))
