"""Calls that want an event loop of their own, while playwright's runs in this thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def beside(call: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Call something in another thread, and return what it returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *given, **named).result()
