"""What the demo shows: rich on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from features.events import Item
from streams.demo.story import Return
from streams.lists import Reason, Recommendation
from streams.words import OF_THE_CUSTOMER

CUSTOMERS = 4
"""Customers whose lists are shown; the rate is over all of them."""
ROWS = 8
SEARCHES = 3
PLAIN_EVERY_S = 5.0


class Stage:
    """Where the demo is shown."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def say(self, message: str) -> None:
        """Show a result on a line of its own."""
        self.console.print(f"  {message}", highlight=False, markup=False)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show that something is being done, and how long it took."""
        started = time.perf_counter()
        if self.console.is_terminal:
            with self.console.status(what):
                yield
        else:
            yield
        seconds = time.perf_counter() - started
        self.console.print(f"✓ {what}, {seconds:.1f} s", highlight=False, markup=False)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show how far something has come; yields a function that takes the number done."""
        columns = (
            TextColumn(what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
        )
        started = told = time.perf_counter()
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as bar:
            task = bar.add_task(what, total=total, rate="")

            def done(count: int) -> None:
                nonlocal told
                now = time.perf_counter()
                rate = f"{count / (now - started):,.0f} events/s"
                bar.update(task, completed=count, rate=rate)
                if not self.console.is_terminal and now - told > PLAIN_EVERY_S:
                    told = now
                    self.console.print(f"  {what}: {count:,} of {total:,}, {rate}", highlight=False)

            yield done


def customers(
    stage: Stage, answered: Sequence[tuple[Return, Recommendation]], items: Sequence[Item]
) -> None:
    """Show what real customers were recommended beside what they bought next."""
    titles = _titles(items)
    for one, found in answered[:CUSTOMERS]:
        stage.console.print(_customer(one, found, titles, _box(stage)))
    hits = sum(bool({i.item_id for i in found.items} & set(one.others)) for one, found in answered)
    k = max((len(found.items) for _, found in answered), default=0)
    share = hits / len(answered) if answered else 0.0
    stage.say(
        f"{hits} of {len(answered)} returning customers ({share:.0%}) went on to buy something of "
        f"their {k}; the model has not seen these orders"
    )


def searches(stage: Stage, found: Sequence[Recommendation], items: Sequence[Item]) -> None:
    """Show what simulated shoppers searched for, and the first answers."""
    titles = _titles(items)
    table = Table(title="simulated shoppers searched", title_justify="left", box=_box(stage))
    table.add_column("query")
    table.add_column("first answers", overflow="fold")
    for one in [one for one in found if one.items][:SEARCHES]:
        first = "; ".join(titles.get(item.item_id, item.item_id) for item in one.items[:3])
        table.add_row(one.query, first)
    stage.console.print(table)


def _box(stage: Stage) -> Box | None:
    return SIMPLE_HEAD if stage.console.is_terminal else None


def _customer(
    one: Return, found: Recommendation, titles: Mapping[str, str], box: Box | None
) -> Table:
    bought = set(one.others)
    first = titles.get(one.first.item_id, one.first.item_id)
    table = Table(
        title=f"{found.user_id} just bought {first}",
        caption=f"✓ bought in the same order, which nobody was told; {found.model_version}",
        title_justify="left",
        caption_justify="left",
        box=box,
    )
    table.add_column("#", justify="right")
    table.add_column("recommended")
    table.add_column("score", justify="right")
    table.add_column("because")
    table.add_column("bought next")
    next_bought = [titles.get(item_id, item_id) for item_id in one.others]
    for place, item in enumerate(found.items[:ROWS]):
        hit = "✓ " if item.item_id in bought else "  "
        table.add_row(
            str(item.rank),
            hit + titles.get(item.item_id, item.item_id),
            f"{item.score:.3f}",
            _because(item.reasons, titles),
            next_bought[place] if place < len(next_bought) else "",
        )
    return table


def _because(reasons: Sequence[Reason], titles: Mapping[str, str]) -> str:
    if not reasons:
        return ""
    strongest = max(reasons, key=lambda reason: reason.weight)
    base = strongest.item_id
    words = OF_THE_CUSTOMER.get(strongest.kind, strongest.kind).format(
        titles.get(base or "", base or ""), category=strongest.category
    )
    return f"{words}, {strongest.weight:.2f}"


def _titles(items: Sequence[Item]) -> dict[str, str]:
    return {item.item_id: item.title or item.item_id for item in items}
