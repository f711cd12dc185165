"""What others say of a data set, as its protocol tells it, beside what was found here."""

import re
from collections.abc import Iterable, Mapping

from streams.figures.result import Published

Told = Mapping[str, str | float]
"""A `method`, and figures by their names: "hr@20", or as "hr20" and "hit@20"."""
_FIGURE = re.compile(r"(?P<rate>[a-z0-9]+?)@?(?P<k>\d+)")
_OURS = {"hit": "hr"}


def published(told: Iterable[Told]) -> tuple[Published, ...]:
    """Return who found what, the figures named as ours; what is no figure at some k is left out."""
    return tuple(
        Published(method=str(one.get("method", "")), figures=_figures(one)) for one in told
    )


def _figures(told: Told) -> dict[str, float]:
    found = {}
    for name, value in told.items():
        figure = _FIGURE.fullmatch(name)
        if figure is not None and isinstance(value, int | float):
            rate = figure["rate"]
            found[f"{_OURS.get(rate, rate)}@{figure['k']}"] = float(value)
    return found
