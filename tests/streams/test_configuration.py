"""Figures name all that decides how lists are made."""

from typing import Any

import pytest

import ranker.attention
import ranker.pool
import ranker.training
from features.domains import ONE_SHOP
from streams.configuration import configuration


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (ranker.pool, "POOL", 7),
        (ranker.pool, "_TURNS", 7),
        (ranker.training, "DEFAULT", ranker.training.Recipe(negatives=7)),
        (ranker.attention.AttentionConfig.__dataclass_fields__["temperature"], "default", 7.0),
        (ranker.training.Recipe.__dataclass_fields__["steps"], "default", 7),
    ],
)
def test_what_was_changed_shows(
    owner: Any, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = configuration()
    assert configuration() == before
    monkeypatch.setattr(owner, name, value)
    assert configuration() != before


def test_settings_show() -> None:
    assert configuration(ONE_SHOP, 0.5) != configuration(ONE_SHOP, 0.0)
