"""Whole numbers that stand for names in the columns of an index."""

from collections.abc import Mapping
from typing import Generic, TypeVar

Name = TypeVar("Name", str, tuple[str, ...])


class Codes(Generic[Name]):
    """A code for each name that was ever given, from 1 on; 0 is the empty name, that of nothing.

    Args:
        nothing: the empty name.

    Attributes:
        numbers: name -> code; the empty one is not among them.
        names: by code.
    """

    def __init__(self, nothing: Name) -> None:
        self.numbers: dict[Name, int] = {}
        self.names: list[Name] = [nothing]

    def of(self, name: Name) -> int:
        """Return the name's code; a new name gets the next one."""
        code = self.numbers.get(name, 0)
        if name and not code:
            code = self.numbers[name] = len(self.names)
            self.names.append(name)
        return code

    def shares(self, named: Mapping[Name, float]) -> dict[int, float]:
        """Return the same with codes in place of names; names without one are left out."""
        numbers = self.numbers
        return {numbers[name]: share for name, share in named.items() if name in numbers}
