"""A misspelt word is taken for the closest that titles have, and nothing else is touched."""

from hypothesis import given
from hypothesis import strategies as st

from features.text import query_keys
from ranker.items import ItemIndex, ItemState
from ranker.spelling import MENDED, Vocabulary

words = st.text("abcé1", min_size=1, max_size=8)


def errors(one: str, other: str) -> int:
    """Return the optimal string alignment distance, letter by letter."""
    rows: list[list[int]] = [[*range(len(other) + 1)]]
    for i, a in enumerate(one, start=1):
        row = [i]
        for j, b in enumerate(other, start=1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def found_by_looking_at_all(word: str, known: dict[str, int]) -> str | None:
    if len(word) < 3 or not word.isalpha():
        return None
    most = 1 if len(word) < 6 else 2
    near = [
        (errors(word, one), -count, one)
        for one, count in known.items()
        if len(one) >= 3 and one.isalpha() and one[0] == word[0] and errors(word, one) <= most
    ]
    return min(near)[2] if near else None


@given(
    st.lists(st.tuples(st.booleans(), words, st.integers(1, 3)), max_size=40),
    st.lists(words, min_size=1, max_size=10),
)
def test_the_closest_and_among_those_the_most_common_word_is_found(
    told: list[tuple[bool, str, int]], asked: list[str]
) -> None:
    vocabulary, known = Vocabulary(), dict[str, int]()
    for there, word, count in told:
        if there:
            vocabulary.add(word)
            known[word] = count
        else:
            vocabulary.discard(word)
            known.pop(word, None)
    for word in [*asked, *known]:
        assert vocabulary.closest(word, lambda one: known[one]) == found_by_looking_at_all(
            word, known
        )


def shop(**titles: str) -> ItemIndex:
    index = ItemIndex()
    for item_id, title in titles.items():
        index.put(ItemState(item_id=item_id, terms=title.split()))
    return index


def test_words_of_titles_are_mended_to_until_the_last_such_title_is_gone() -> None:
    index = shop(a="samsung galaxy", b="samsung charger")
    assert index.mend(query_keys("samsnug glaxy s2")) == {"samsnug": "samsung", "glaxy": "galaxy"}
    index.remove("a")
    assert index.mend(query_keys("samsnug glaxy s2")) == {"samsnug": "samsung"}
    index.remove("b")
    assert index.mend(query_keys("samsnug glaxy s2")) == {}


def test_what_searches_led_to_items_by_is_no_misspelling() -> None:
    index = shop(a="samsung galaxy")
    index.put(ItemState(item_id="b", query_counts={"samsnug": 1.0}))
    assert index.mend(query_keys("samsnug glaxy")) == {"glaxy": "galaxy"}
    index.put(ItemState(item_id="b", query_counts={"~samsnugglaxy": 1.0}))
    assert index.mend(query_keys("samsnug glaxy")) == {}


def test_a_search_of_many_unknown_words_is_mended_in_the_first() -> None:
    index = shop(a="samsung")
    typed = [f"sams{letter}ng" for letter in "abcdef"]
    assert index.mend(query_keys(" ".join(typed))) == dict.fromkeys(typed[:MENDED], "samsung")
