import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.text import MAX_KEYS, MAX_TERM_LENGTH, MAX_TERMS, query_keys, terms, tidy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Red Mug, 2 pcs.", ["red", "mug", "2", "pcs"]),
        ("mug MUG Mug", ["mug"]),
        ("Straße Öl", ["strasse", "öl"]),
        ("\uff26\uff55\uff4c\uff4c", ["full"]),
        ("e\u0301te\u0301 ≠ été", ["été"]),
        ("हिन्दी किताब", ["हिन्दी", "किताब"]),
        ("snake_case a+b", ["snake", "case", "a", "b"]),
        (" -- ", []),
    ],
)
def test_terms_are_the_words_of_a_text(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_keys_go_from_the_exact_query_to_its_words() -> None:
    assert query_keys(" X-Box  360 ") == ["=x box 360", "~xbox360", "x", "box", "360"]
    assert query_keys("xbox360")[1] == query_keys("X box 360")[1]
    assert query_keys(" !? ") == []


@given(st.text())
def test_terms_are_distinct_bounded_and_stable(text: str) -> None:
    found = terms(text)
    assert len(found) == len(set(found)) <= MAX_TERMS
    assert all(0 < len(term) <= MAX_TERM_LENGTH for term in found)
    assert terms(" ".join(found)) == found


@given(st.text(max_size=400))
def test_keys_are_distinct_and_bounded_and_the_words_are_terms(query: str) -> None:
    keys = query_keys(query)
    assert len(keys) == len(set(keys)) <= MAX_KEYS
    assert keys[2:] == terms(query)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_text_of_ascii_takes_the_same_path_as_any_other(text: str) -> None:
    assert terms(text + " é")[:MAX_TERMS] == [*terms(text), "é"][:MAX_TERMS]


@given(st.text(), st.integers(1, 50))
def test_tidying_is_done_once(text: str, limit: int) -> None:
    tidied = tidy(text, limit)
    assert tidy(tidied, limit) == tidied
    assert len(tidied) <= limit
    assert tidied == tidied.strip()
    assert "\n" not in tidied
