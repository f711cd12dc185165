"""Writes docs/properties.md: what property tests hold to, by the names of the tests.

python -m tests.repo.properties_page    brings the page up to date; a test fails while it is not.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "properties.md"

_HEAD = """\
# Properties

What must hold for any input, time or order: each line is a test that
[hypothesis](https://hypothesis.readthedocs.io) tries to break with cases of its own. Made by
`python -m tests.repo.properties_page`; a test fails where this page and the tests differ.
"""


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if lines := [f"- {_sentence(test)}" for test in _properties(module)]:
            name = path.relative_to(ROOT).as_posix()
            parts.append(f"## [{name}](../{name})\n")
            if said := ast.get_docstring(module):
                parts.append(said.partition("\n")[0] + "\n")
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _properties(module: ast.Module) -> Iterator[str]:
    """Yield the names of tests whose input hypothesis draws."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
            _named(decorator) == "given" for decorator in node.decorator_list
        ):
            yield node.name


def _named(node: ast.expr) -> str:
    called = node.func if isinstance(node, ast.Call) else node
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")


def _sentence(test: str) -> str:
    return test.removeprefix("test_").replace("_s_", "'s_").replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
