"""An explanation as people read it."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from features.catalogue import Owner, Value, features_of
from ranker.reasons import KINDS
from streams.explain import Explanation, Placed
from streams.lists import Reason
from streams.portrait import date

_WORDS: Mapping[str, str] = dict(KINDS.items())


def show(found: Explanation) -> None:
    """Print the values of the user, of the item, and of the list where there is one."""
    console = Console(markup=False, highlight=False)
    console.print(f"user {found.user_id}, as of {date(found.at)}")
    _values(console, "user", found.user)
    for kind, named in found.leanings.items():
        if named:
            said = ", ".join(f"{name} {share:.2f}" for name, share in named.items())
            console.print(f"leans to {kind.replace('_', ' ')}: {said}")
    if found.item is not None:
        title = f", {found.title}" if found.title else ""
        console.print(f"\nitem {found.item_id}{title}")
        _values(console, "item", found.item)
    if found.standing is not None:
        console.print("\nthe item in its category")
        _values(console, "standing", found.standing)
    for what, numbers in (("tokens", found.tokens), ("numbers", found.numbers)):
        if numbers:
            said = ", ".join(f"{name} {number:.5g}" for name, number in numbers.items())
            console.print(f"{what}: {said}")
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
        f"place {listed.place} of {listed.candidates} candidates, score {listed.score:.4g}, "
        f"ranked by {listed.model_version}"
    )
    for reason in listed.reasons:
        console.print(f"because {_said(reason)} ({reason.kind}, {reason.weight:.2f})")
    _values(console, "list", listed.features)


def _said(reason: Reason) -> str:
    """Return what a reason says, in the words of `KINDS`, with the names that it rests on."""
    words = _WORDS[reason.kind]
    for field in ("item_id", "category"):
        words = words.replace(f"`{field}`", str(getattr(reason, field)))
    return words


def _values(console: Console, owner: Owner, values: Mapping[str, Value]) -> None:
    """Print a table of what is known and not 0, and name the rest."""
    console.print(_table(owner, {name: value for name, value in values.items() if value}))
    unknown = [name for name, value in values.items() if value is None]
    zeros = [name for name, value in values.items() if value == 0]
    for what, names in (("not known", unknown), ("0", zeros)):
        if names:
            console.print(f"{what}: {', '.join(names)}", style="dim")


def _table(owner: Owner, values: Mapping[str, Value]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for style, justify in (("bold", "left"), ("", "right"), ("dim", "left"), ("dim", "left")):
        table.add_column(style=style, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for feature in features_of(owner):
        if feature.name in values:
            value = f"{values[feature.name]:.4g}"
            table.add_row(feature.name, value, feature.unit, feature.meaning)
    return table
