"""An upstream release that breaks the engine breaks a seam: here it gets its name."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import faust.stores
import faust.transport.drivers
import pytest

from streams import engine
from streams.engine.options import install
from tests.contract.seams import SEAMS, Seam

OURS = "streams.engine"
# Made by Python and by mode for every class.
NOT_SEAMS = {"_abc_impl", "logger", "_tasks", "API_KEY", "API_VERSION", "SCHEMA"}


@pytest.mark.parametrize("seam", SEAMS, ids=str)
def test_a_seam_is_as_we_use_it(seam: Seam) -> None:
    broken = f"{seam} has changed; streams.engine needs it for: {seam.use}"
    if seam.parameters is None:
        assert has_attribute(seam), broken
    else:
        found = getattr(seam.owner, seam.name, None)
        assert callable(found), broken
        assert parameters(found) == seam.parameters.split(), broken
    if seam.caller is not None:
        source = inspect.getsource(seam.caller)
        calls = re.search(rf"(?<!def )\b{seam.name}\b", source)
        assert calls, f"{seam} is not used by {seam.caller.__qualname__} any more; {broken}"


def test_faust_finds_plug_ins_by_name() -> None:
    install()
    names = faust.transport.drivers.TRANSPORTS.data, faust.stores.STORES.data
    assert ("batch" in names[0], "batchrocks" in names[1]) == (True, True)
    assert faust.transport.drivers.TRANSPORTS.by_name("batch").__module__ == f"{OURS}.transport"
    assert faust.stores.STORES.by_name("batchrocks").__module__ == f"{OURS}.store"


def test_every_override_and_every_private_name_is_a_known_seam() -> None:
    known = {seam.name for seam in SEAMS} | NOT_SEAMS
    unknown = {name for name in [*overrides(), *private_names()] if name not in known}
    assert not unknown, f"add to tests/contract/seams.py what the engine needs {unknown} for"


def has_attribute(seam: Seam) -> bool:
    """Say whether instances have it: set by some method, or by the class."""
    sources = (inspect.getsource(base) for base in seam.owner.__mro__[:-1] if _has_source(base))
    pattern = rf"self\.{seam.name}(: [^=\n]+)? = "
    return hasattr(seam.owner, seam.name) or any(re.search(pattern, text) for text in sources)


def _has_source(base: type) -> bool:
    return base.__module__.split(".")[0] in {"faust", "mode", "aiokafka"}


def parameters(function: object) -> list[str]:
    assert callable(function)
    found = inspect.signature(function).parameters.values()
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [p.name for p in found if p.name != "self" and p.kind not in variable]


def overrides() -> Iterator[str]:
    """Yield what classes of the engine redefine of classes that are not ours."""
    for module in pkgutil.iter_modules(engine.__path__, f"{OURS}."):
        for _, ours in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if ours.__module__ != module.name:
                continue
            foreign = [base for base in ours.__mro__[1:-1] if not base.__module__.startswith(OURS)]
            for name in vars(ours):
                if not name.startswith("__") and any(name in vars(base) for base in foreign):
                    yield name


def private_names() -> Iterator[str]:
    """Yield private names that the engine uses and does not define."""
    defined, used = set(), set()
    for path in Path(engine.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr):
                mine = isinstance(node.value, ast.Name) and node.value.id == "self"
                if mine and isinstance(node.ctx, ast.Store):
                    defined.add(node.attr)
                else:
                    used.add(node.attr)
    yield from used - defined
