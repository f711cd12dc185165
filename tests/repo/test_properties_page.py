"""docs/properties.md lists the property tests that are there."""

from tests.repo.properties_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.repo.properties_page"


def test_the_page_names_what_it_should() -> None:
    text = page()
    assert "- every prefix equals a recount" in text
    assert "test_the_page" not in text
