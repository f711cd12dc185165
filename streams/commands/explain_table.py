"""An explanation as people read it."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from features.catalogue import Owner, Value, features_of
from streams.explain import Explanation, Placed
from streams.portrait import date


def show(found: Explanation) -> None:
    """Print the values of the user, of the item, and of the list where there is one."""
    console = Console(markup=False, highlight=False)
    console.print(f"user {found.user_id}, as of {date(found.at)}")
    console.print(_table("user", found.user))
    if found.item is not None:
        title = f", {found.title}" if found.title else ""
        console.print(f"\nitem {found.item_id}{title}")
        console.print(_table("item", found.item))
    if found.standing is not None:
        console.print("\nthe item in its category")
        console.print(_table("standing", found.standing))
    if found.listed is not None:
        answers = f"the search {found.query!r}" if found.query else "the user's newest event"
        console.print(f"\nthe list that answers {answers}")
        _place(console, found.listed)


def _place(console: Console, listed: Placed) -> None:
    if listed.place is None:
        console.print(
            f"The item is none of its {listed.candidates} candidates: nothing that the user did or "
            "asked for leads to it, or no list may show it (deleted, not in stock, not available, "
            "or bought where HEADRACE_HIDE_BOUGHT is set)."
        )
        return
    console.print(
        f"place {listed.place} of {listed.candidates} candidates, score {_text(listed.score)}, "
        f"ranked by {listed.model_version}"
    )
    for reason in listed.reasons:
        of = f" {reason.item_id}" if reason.item_id else ""
        console.print(f"because {reason.kind}{of}, {reason.weight:.2f}")
    told = {name: value for name, value in listed.features.items() if value}
    console.print(_table("list", told))
    console.print(f"and {len(listed.features) - len(told)} features that are 0")


def _table(owner: Owner, values: Mapping[str, Value]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for style, justify in (("bold", "left"), ("", "right"), ("dim", "left"), ("dim", "left")):
        table.add_column(style=style, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for feature in features_of(owner):
        if feature.name in values:
            value = _text(values[feature.name])
            table.add_row(feature.name, value, feature.unit, feature.meaning)
    return table


def _text(value: Value) -> str:
    return "-" if value is None else f"{value:.4g}"
