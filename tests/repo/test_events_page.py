"""docs/events.md is true: its tables are the code's, its examples decode, its programs run."""

import json
import re

import pytest

from features.events import Click, Item, Purchase, Search
from streams.codec import decode_forget, decode_line, decode_recommendation
from tests.repo.events_page import PAGE, RULES, refreshed, tables

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)\n```", TEXT, re.DOTALL)


def test_the_tables_are_up_to_date() -> None:
    for name in tables():
        assert f"<!-- {name} -->" in TEXT
    assert refreshed(TEXT) == TEXT, "run: python -m tests.repo.events_page"


def test_a_stale_table_would_be_noticed() -> None:
    stale = TEXT.replace("| `search_id` |", "| `searchId` |")
    assert refreshed(stale) == TEXT


def test_every_field_has_a_rule() -> None:
    named = {name for names in RULES for name in names.split(", ")}
    fields = {f for kind in (Click, Search, Purchase, Item) for f in kind.__struct_fields__}
    assert named == fields | {"filters.exclude"}


def test_every_example_decodes() -> None:
    *events, request, answer = EXAMPLES
    assert decode_forget(b"ann", request.encode()) == "ann"
    kinds = [type(decode_line(example.encode())) for example in events]
    assert kinds == [Click, Search, Search, Purchase, Item]
    found = decode_recommendation(answer.encode())
    assert json.loads(answer)["items"][0]["item_id"] == found.items[0].item_id


@pytest.mark.parametrize("example", EXAMPLES[:3])
def test_the_examples_hang_together(example: str) -> None:
    event = json.loads(example)
    assert event["user_id"] == "ann"
    assert event.get("item_id", "mug-1") == "mug-1"
    assert event.get("search_id", "s-1") == "s-1"
