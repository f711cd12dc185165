"""Figures as a table for people."""

from collections.abc import Mapping


def table(result: object) -> str:
    """Return a Markdown table: a row per contestant, medians with their ranges."""
    if not isinstance(result, Mapping) or not result:
        return "(not run)"
    figures = list(next(iter(result.values())))
    lines = ["| | " + " | ".join(figures) + " |", "|---" * (len(figures) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(_cell(found[figure]) for figure in figures) + " |"
        for name, found in result.items()
    ]
    return "\n".join(lines)


def _cell(found: object) -> str:
    if isinstance(found, Mapping):
        low, high = found["range"]
        return f"{found['median']:,} ({low:,} to {high:,})"
    return str(found)
