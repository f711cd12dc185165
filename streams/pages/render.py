"""Pages from templates: whatever comes out of the data is escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_SHARED = Path(__file__).parent


def render(template: Path, **values: Any) -> str:
    """Return the page that a template makes of values.

    Args:
        template: It may extend `base.html` and use what `parts.html` draws, both in this folder.
        values: What it names.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template(template.name).render(values)
