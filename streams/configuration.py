"""What figures were measured with: one hash over every constant that decides how lists are made."""

import hashlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

import features
import ranker
from features.domains import ONE_SHOP, Domains
from streams import factorise, learner, outcomes, replay

_DIGITS = 12


def configuration(domains: Domains = ONE_SHOP, diversity: float = 0.0) -> str:
    """Return the hash.

    It is equal as long as no constant of features, ranker or learning has changed and no default of
    their dataclasses, nor what the domains are, nor how much the items of a list differ.
    """
    digest = hashlib.sha256(repr((domains.listed, diversity)).encode())
    for module in _modules():
        for name, value in sorted(vars(module).items()):
            told = _told(value) if name.isupper() else _defaults(value, module)
            if told is not None:
                digest.update(f"{module.__name__}.{name}={told}\n".encode())
    return digest.hexdigest()[:_DIGITS]


def _modules() -> Iterator[ModuleType]:
    for package in (features, ranker):
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
            yield import_module(f"{package.__name__}.{found.name}")
    yield from (factorise, learner, outcomes, replay)


def _defaults(value: Any, module: ModuleType) -> str | None:
    """Return the defaults of a dataclass of this module as text; None for anything else."""
    if not (isinstance(value, type) and is_dataclass(value)) or value.__module__ != module.__name__:
        return None
    told = {field.name: _told(field.default) for field in fields(value)}
    return repr(sorted((name, default) for name, default in told.items() if default is not None))


def _told(value: Any) -> str | None:
    """Return plain values as text; None for what is no value, as a type or a decoder."""
    if is_dataclass(value) and not isinstance(value, type):
        return _told(asdict(value))
    if isinstance(value, Mapping):
        parts = [(_told(name), _told(one)) for name, one in value.items()]
        return None if any(None in pair for pair in parts) else repr(sorted(map(repr, parts)))
    if isinstance(value, tuple | list | set | frozenset):
        told = [_told(one) for one in value]
        ordered = sorted(map(str, told)) if isinstance(value, set | frozenset) else told
        return None if None in told else repr(ordered)
    return repr(value) if isinstance(value, int | float | str | bytes) else None
