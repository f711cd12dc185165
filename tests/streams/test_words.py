"""Reasons in words."""

from collections.abc import Mapping

import pytest

from ranker.reasons import KINDS
from streams.words import OF_THE_CUSTOMER, TO_THE_SHOPPER


@pytest.mark.parametrize("words", [OF_THE_CUSTOMER, TO_THE_SHOPPER])
def test_every_kind_of_reason_has_words_with_room_for_what_it_names(
    words: Mapping[str, str],
) -> None:
    assert list(words) == list(KINDS)
    for kind, said in words.items():
        assert ("{}" in said) == ("`item_id`" in KINDS[kind])  # type: ignore[index]
        assert ("{category}" in said) == ("`category`" in KINDS[kind])  # type: ignore[index]
        assert said.format("A", category="B").strip()
