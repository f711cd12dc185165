"""The feature catalogue as text: a page for the documentation, and plain values for programs."""

from math import isfinite
from typing import Any

from features.catalogue import BOOKKEEPING, Feature, Owner, features_of

_HEAD = """\
# Features

Made by `headrace features list --markdown`; a test fails where this page and the code differ.

What the workers know of a user, of an item and of its category, and what the ranker sees of a
candidate. *Missing* is the value where nothing is known. What depends on the time (`idle_h`,
windows, decayed counts) is as of the event that a list answers, by event time. No feature of an
event's list contains the event that the list predicts. `headrace features explain USER ITEM` shows
the values of a running system.
"""
_TITLES: dict[Owner, str] = {
    "user": "The user row",
    "item": "The item row",
    "standing": "The item in its category",
    "list": "The ranker's vector",
}
_ABOUT: dict[Owner, str] = {
    "user": "Held by the owner of the user's partition, in `user-state`.",
    "item": "Held by the owner of the item's partition, in `item-state`, which every worker reads.",
    "standing": "Worked out by every worker from `item-state`: what the item's row says, beside "
    "the statistics of its category. A category is a path; an item counts in its own, in each "
    "wider one, and among all items. One without a category counts among all items alone. Case "
    "does not count.",
    "list": "One vector a candidate, in this order. A score means little by itself, so most "
    "compare it with the highest of its list; 0 says that nothing is known.",
}


def markdown() -> str:
    """Return the reference page, docs/features.md."""
    return _HEAD + "".join(_section(owner) for owner in _TITLES)


def plain(feature: Feature) -> dict[str, Any]:
    """Return a feature as JSON has it; a bound that is infinite is null."""
    return {
        "name": feature.name,
        "owner": feature.owner,
        "field": feature.field,
        "meaning": feature.meaning,
        "unit": feature.unit,
        "low": feature.low if isfinite(feature.low) else None,
        "high": feature.high if isfinite(feature.high) else None,
        "missing": feature.missing,
    }


def bounds(feature: Feature) -> str:
    """Return the range as people write it."""
    low = f"{feature.low:,g}" if isfinite(feature.low) else "any"
    high = f"{feature.high:,g}" if isfinite(feature.high) else "any"
    if low == high:
        return "any"
    if high == "any":
        return f"from {low}"
    return f"up to {high}" if low == "any" else f"{low} to {high}"


def missing(feature: Feature) -> str:
    """Return what stands where nothing is known."""
    return "none" if feature.missing is None else f"{feature.missing:g}"


def _section(owner: Owner) -> str:
    head = ["name", "field", "meaning", "unit", "range", "missing"]
    rows = [
        [
            f"`{feature.name}`",
            f"`{feature.field}`",
            feature.meaning,
            feature.unit,
            bounds(feature),
            missing(feature),
        ]
        for feature in features_of(owner)
    ]
    if owner == "list":  # a vector has no fields: its features are known by their names
        head, rows = [head[0], *head[2:]], [[row[0], *row[2:]] for row in rows]
    page = f"\n## {_TITLES[owner]}\n\n{_ABOUT[owner]}\n\n{_table(head, rows)}"
    kept = BOOKKEEPING.get(owner)
    if kept:
        others = _table(["field", "what for"], [[f"`{f}`", what] for f, what in kept.items()])
        page += f"\nFields that are no feature:\n\n{others}"
    return page


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
