"""How commands talk: results to stdout, all else to stderr; rich on a terminal, else plain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_EVERY = 500  # counted things between two looks at the progress line


def tell(message: str) -> None:
    """Say something to a person, on stderr, on a line of its own."""
    Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print(message)


def check_page(path: Path | None) -> None:
    """Raise `typer.BadParameter` where a page could not be written, before the work begins."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"--report {path}: no folder {path.parent}; create it first")


def write_page(path: Path, content: str) -> None:
    """Write a page, and say so."""
    path.write_text(content, encoding="utf-8")
    tell(f"{path} written")


@contextmanager
def counting(what: str) -> Iterator[Callable[[], None]]:
    """Count things on stderr: live on a terminal, one line at the end in any case.

    Yields:
        A function to call once for each thing.
    """
    count = 0
    start = time.perf_counter()
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} " + what),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not Console(stderr=True).is_terminal,
    )
    with progress:
        task = progress.add_task(what, total=None)

        def one_more() -> None:
            nonlocal count
            count += 1
            if count % _EVERY == 0:
                progress.update(task, completed=count)

        yield one_more
    seconds = time.perf_counter() - start
    tell(f"{count:,} {what} in {seconds:.1f} s, {count / max(seconds, 1e-9):,.0f} a second")
