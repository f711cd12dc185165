"""Pages from templates: whatever comes out of the data is escaped."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_SHARED = Path(__file__).parent


def render(template: Path, **values: Any) -> str:
    """Return the page that a template makes of values.

    Args:
        template: It may extend `base.html`, or `figures.html` for tiles, plots and tables, and use
            what `parts.html` draws, all in this folder.
        values: What it names.
    """
    return _environment(template.parent).get_template(template.name).render(values)


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
