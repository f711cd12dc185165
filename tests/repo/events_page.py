"""Writes the tables of docs/events.md from the classes that check every record.

python -m tests.repo.events_page    brings the page up to date; a test fails while it is not.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import iso4217
import msgspec
from msgspec import inspect

from features import cleaning
from features.events import MAX_ID_BYTES, Click, Filters, Forget, Item, Purchase, Search
from ranker.reasons import KINDS
from streams.codec import REASONS
from streams.lists import Reason, Recommendation, RecommendedItem, Trigger

PAGE = Path(__file__).parents[2] / "docs" / "events.md"

_MEANING: Mapping[str, str] = {
    "event_id": "unique to the action, and the same when it is sent again: repeats count once",
    "user_id": "who did it; also the record's key",
    "ts": "when it happened, ms since 1970-01-01 UTC",
    "item_id": "which item; in the catalogue also the record's key",
    "session_id": "the visit, where the app knows one",
    "search_id": "`event_id` of the search whose results were clicked",
    "position": "place in the list that was clicked",
    "price": "of one",
    "context": "device, country and the like",
    "query": "what was typed; empty to have `candidates` put in order, or without any to ask for "
    "the list that a click would get",
    "candidates": "rank these items and no others",
    "filters": "what the list is limited to, see below; an item must pass all",
    "price_min": "the least price; an item without one is left out",
    "price_max": "the highest price, likewise",
    "exclude": "items not to show",
    "k": "how many items are wanted",
    "quantity": "how many",
    "currency": "ISO 4217 code",
    "title": "what shoppers read and search for",
    "description": "more words to find it by",
    "category": "path, the widest first",
    "brand": "who makes it",
    "tags": "more words to find it by",
    "attributes": "colour, size and the like",
    "image_url": "what a page shows",
    "embedding": "the shop's own vector of the item",
    "in_stock": "items out of stock are not recommended",
    "available_from": "ms since 1970; not recommended before",
    "available_to": "ms since 1970; not recommended from then on",
    "rec_id": "the same whenever the same event is answered again: drop repeats by it",
    "surface": "where it is meant to be shown",
    "trigger": "the event that the list answers",
    "generated_at": "wall clock of the worker, ms",
    "event_ts": "`ts` of the trigger",
    "model_version": "what ranked; `generators` before any model was trained",
    "items": "the list, best first",
    "experiment": "the arm that the user is in",
    "score": "0 to 1, higher is better",
    "rank": "place in the list, from 1",
    "reasons": "why it is there, each a map",
    "type": "kind of the event",
    "kind": "what speaks for the item, see below",
    "weight": "how much it counted",
    "domain": "of an item, its own; of an event, that of the list which answers it; "
    "[domains.md](domains.md)",
    "consent": "false: it counts for the item and is not stored with the user",
}


_STARTS = ("`https://`", "`http://`", "`/`")
_FILTERS = {
    "category": "one level of the item's path is this, or one of these; case does not count",
    "brand": "the item's brand is this, or one of these; case does not count",
}


_IDS = "event_id, user_id, item_id, session_id, search_id, candidates, filters.exclude"
_LINE = "put on one line (each run of white space is one space), Unicode NFKC, cut to"
RULES: Mapping[str, str] = {
    _IDS: f"never changed; blank, or of more than {MAX_ID_BYTES} bytes in UTF-8, it is refused",
    "ts": "refused where it is not in ms, or too far ahead of the broker's clock",
    "query": f"{_LINE} {cleaning.MAX_QUERY:,} characters; words are compared without case",
    "title": f"{_LINE} {cleaning.MAX_TITLE:,} characters; left out when nothing remains",
    "description": f"likewise, {cleaning.MAX_DESCRIPTION:,} characters",
    "brand": f"likewise, {cleaning.MAX_NAME:,} characters; filters compare it without case",
    "category": "each name like a brand; empty and repeated names are left out, the first "
    f"{cleaning.MAX_LEVELS} stay; a single name that holds `{cleaning.STEP}` is taken for a whole "
    "path and split there, at nothing else; a path that is no list is refused; filters and "
    "statistics compare without case; an item without one counts among all items alone",
    "tags": f"each like a brand; empty and repeated ones are left out, the first "
    f"{cleaning.MAX_TAGS} stay",
    "attributes": f"names like a brand, text values to {cleaning.MAX_VALUE:,} characters; empty "
    "ones are left out, of equal names the first stays; the first "
    f"{cleaning.MAX_ATTRIBUTES} stay",
    "image_url": f"trimmed; refused unless it starts with {', '.join(_STARTS)} and has at most "
    f"{cleaning.MAX_URL:,} characters",
    "embedding": "an empty one is left out",
    "price": "kept as sent, in the one currency of the shop: nothing is converted or clipped; 0 is "
    "a price that is not known, to the statistics of users and categories; how far an item's "
    "price lies from its category's is clipped (`price_level` in [features.md](features.md))",
    "domain": "trimmed, lower case, left out when nothing remains; refused where none of that name "
    "was set up",
    "currency": "upper case; left out unless ISO 4217 lists it (as of "
    f"{iso4217.__published__:%Y-%m-%d}), and the price stays",
    "quantity": f"more than {cleaning.MAX_QUANTITY:,.0f} counts as {cleaning.MAX_QUANTITY:,.0f}",
    "available_to": "refused where it comes before `available_from`",
    "filters": "refused with a field that is not known, or with `price_max` below `price_min`; "
    "names are compared like the catalogue's, without case",
    "position, k, context, consent, in_stock, available_from": "taken as sent",
}
"""Fields -> what is done with a value of the right type and range, which the tables above say."""


def _rules() -> str:
    rows = [
        f"| {', '.join(f'`{name}`' for name in names.split(', '))} | {rule} |"
        for names, rule in RULES.items()
    ]
    return "\n".join(["| field | rule |", "|---|---|", *rows])


def tables() -> dict[str, str]:
    """Return each generated part of the page by its name."""
    structs: dict[str, type[msgspec.Struct]] = {
        "click": Click,
        "search": Search,
        "purchase": Purchase,
        "item": Item,
        "recommendation": Recommendation,
        "trigger": Trigger,
        "place": RecommendedItem,
    }
    reasons = [f"| `{name}` | {cure} |" for name, cure in REASONS.items()]
    kinds = [f"| `{name}` | {said} |" for name, said in KINDS.items()]
    return {name: _fields(struct) for name, struct in structs.items()} | {
        "filters": _fields(Filters, _FILTERS),
        "reason": _fields(Reason, {"category": "the item's narrowest one, where it is the reason"}),
        "forget": _fields(Forget, {"user_id": "who is to be forgotten; also the record's key"}),
        "rules": _rules(),
        "reasons": "\n".join(["| reason | cure |", "|---|---|", *reasons]),
        "kinds": "\n".join(["| kind | it says |", "|---|---|", *kinds]),
    }


def refreshed(page: str) -> str:
    """Return the page with every generated part as it must be."""
    parts = tables()

    def part(match: re.Match[str]) -> str:
        return f"{match[1]}\n{parts[match[2]]}\n{match[3]}"

    return re.sub(r"(<!-- (\w+) -->)\n.*?(<!-- /\2 -->)", part, page, flags=re.DOTALL)


def _fields(struct: type[msgspec.Struct], meaning: Mapping[str, str] = _MEANING) -> str:
    info = inspect.type_info(struct)
    if not isinstance(info, inspect.StructType):
        raise TypeError(f"{struct} is no struct")
    rows = [
        f"| `{field.name}` | {_type(field.type)} | {'yes' if field.required else ''} "
        f"| {meaning.get(field.name) or _MEANING[field.name]} |"
        for field in info.fields
    ]
    return "\n".join(["| field | type | required | meaning |", "|---|---|---|---|", *rows])


def _type(kind: Any) -> str:  # noqa: PLR0911  one answer a kind
    match kind:
        case inspect.UnionType(types=types):
            told = [_type(each) for each in types if not isinstance(each, inspect.NoneType)]
            return " or ".join(dict.fromkeys(told))
        case inspect.StrType():
            return "text" + _span(kind.min_length, kind.max_length, "characters")
        case inspect.IntType():
            return "whole number" + _span(kind.ge, _readable(kind.le), "")
        case inspect.FloatType():
            least = kind.ge if kind.gt is None else f"above {kind.gt}"
            return "number" + _span(least if least != -1e12 else None, None, "")
        case inspect.BoolType():
            return "true or false"
        case inspect.VarTupleType(item_type=item):
            return f"list of {_type(item)}" + _span(None, kind.max_length, "entries")
        case inspect.DictType():
            return "map" + _span(None, kind.max_length, "entries")
        case inspect.LiteralType(values=values):
            return " or ".join(f'`"{value}"`' for value in values)
        case inspect.StructType(cls=cls):
            return {Trigger: "map", RecommendedItem: "map", Reason: "map", Filters: "map"}[cls]
        case _:
            raise TypeError(f"no words for {kind}")


def _readable(limit: int | None) -> int | None:
    """Leave out limits that only say what an int can be."""
    return limit if limit is not None and limit < 2**40 else None


def _span(least: object, most: object, unit: str) -> str:
    unit = unit and f" {unit}"
    if least is not None and most is not None:
        return f", {least} to {most}{unit}"
    if most is not None:
        return f", at most {most}{unit}"
    if least is not None:
        return f", {least}{unit}" if str(least).startswith("above") else f", from {least}{unit}"
    return ""


if __name__ == "__main__":
    PAGE.write_text(refreshed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
