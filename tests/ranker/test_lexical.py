"""Titles and query clicks: the rare word counts more, shares are shares, nothing grows for ever."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.lexical import (
    KEY_ITEMS,
    QUERY_EXACT,
    QUERY_SQUASHED,
    QUERY_TERMS,
    SCANNED_POSTINGS,
    TITLE,
    QueryClicks,
    TitleTerms,
    matches,
)

TITLES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), min_size=1, max_size=12)


def lengths_of(titles: list[list[str]]) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([len(set(title)) for title in titles], np.float32)


def found(index: TitleTerms, terms: list[str], titles: list[list[str]]) -> dict[int, float]:
    total: dict[int, float] = {}
    for slots, values in index.match(terms, lengths_of(titles)):
        for slot, value in zip(slots.tolist(), values.tolist(), strict=True):
            total[slot] = total.get(slot, 0) + value
    return total


@given(old=TITLES, titles=TITLES, terms=st.lists(st.sampled_from("abcdefz"), max_size=4))
def test_titles_that_hold_a_word_match_whatever_was_there_before(
    old: list[list[str]], titles: list[list[str]], terms: list[str]
) -> None:
    index = TitleTerms()
    for slot, title in enumerate(old[: len(titles)]):
        index.put(slot, title)
    for slot, title in enumerate(titles):
        index.put(slot, title)
    scores = found(index, terms, titles)
    assert set(scores) == {slot for slot, title in enumerate(titles) if set(title) & set(terms)}
    assert all(score > 0 for score in scores.values())


def test_rare_words_and_short_titles_score_higher() -> None:
    titles = [["lamp", "rare"], ["lamp", "red"], ["lamp"], ["lamp", "a", "b", "c"]]
    index = TitleTerms()
    for slot, title in enumerate(titles):
        index.put(slot, title)
    scores = found(index, ["lamp", "rare"], titles)
    assert scores[0] > scores[2] > scores[1] > scores[3]


def test_words_in_every_title_are_not_scanned_for_ever() -> None:
    index = TitleTerms()
    many = SCANNED_POSTINGS + 1
    for slot in range(many):
        index.put(slot, ("the", "rare") if slot == 7 else ("the",))
    lengths = np.ones(many, np.float32)
    assert [len(slots) for slots, _ in index.match(["the", "rare"], lengths)] == [1]
    assert [len(slots) for slots, _ in index.match(["the"], lengths)] == [many]


def test_shares_of_a_key_say_how_sure_it_is() -> None:
    clicks = QueryClicks()
    clicks.put(1, {"=red lamp": 6, "~redlamp": 6, "red": 1})
    clicks.put(2, {"=red lamp": 3})
    parts = {
        (slot, kind): share
        for slots, shares, kind in clicks.match(["=red lamp", "~redlamp", "red", "unheard"])
        for slot, share in zip(slots.tolist(), shares.tolist(), strict=True)
    }
    assert parts == pytest.approx(
        {
            (1, QUERY_EXACT): 0.6,
            (2, QUERY_EXACT): 0.3,
            (1, QUERY_SQUASHED): 6 / 7,
            (1, QUERY_TERMS): 0.5,
        }
    )


def test_forgotten_items_match_nothing() -> None:
    titles, clicks = TitleTerms(), QueryClicks()
    titles.put(0, ("lamp",))
    clicks.put(0, {"lamp": 2})
    titles.put(0, ())
    clicks.put(0, {})
    none = matches(titles, clicks, ["lamp"], ["lamp"], lengths=np.ones(1, np.float32))
    assert len(none.slots) == len(none.values) == len(none.kinds) == 0


def test_a_key_that_leads_everywhere_keeps_what_it_led_to_most() -> None:
    clicks = QueryClicks()
    for slot in range(2 * KEY_ITEMS + 1):
        clicks.put(slot, {"gift": slot + 1})
    slots, _, _ = clicks.match(["gift"])[0]
    assert sorted(slots.tolist()) == list(range(KEY_ITEMS + 1, 2 * KEY_ITEMS + 1))


def test_all_kinds_of_match_come_in_arrays_of_one_length() -> None:
    titles, clicks = TitleTerms(), QueryClicks()
    titles.put(0, ("red", "lamp"))
    clicks.put(0, {"=red lamp": 1, "~redlamp": 1, "red": 1})
    keys = ["=red lamp", "~redlamp", "red", "lamp"]
    all_of_it = matches(titles, clicks, ["red", "lamp"], keys, lengths=np.full(1, 2, np.float32))
    assert sorted(all_of_it.kinds.tolist()) == [
        TITLE,
        TITLE,
        QUERY_EXACT,
        QUERY_SQUASHED,
        QUERY_TERMS,
    ]
    assert len(all_of_it.slots) == len(all_of_it.values) == len(all_of_it.kinds)
